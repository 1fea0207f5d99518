// A survey of every kind, in a language of each direction.

const WORDS = {
  en: {
    score: "How was it?",
    low: "Bad",
    high: "Good",
    why: "What is the main reason?",
    thanks: "Thank you for your answer!",
    notice: "We ask a few customers each week.",
    link: "Tell others",
  },
  ar: {
    score: "كيف كانت تجربتك؟",
    low: "سيئة",
    high: "جيدة",
    why: "ما السبب الرئيسي؟",
    thanks: "شكرًا لإجابتك!",
    notice: "نسأل عددًا قليلًا من العملاء كل أسبوع.",
    link: "أخبر الآخرين",
  },
};

/** Each kind: its scale, what stands for the values, and how many there are. */
export const KINDS = [
  ["nps", "numbers", 11],
  ["csat_3", "numbers", 3],
  ["csat_3", "faces", 3],
  ["csat_5", "numbers", 5],
  ["csat_5", "stars", 5],
  ["csat_5", "faces", 5],
  ["csat_7", "numbers", 7],
  ["csat_10", "stars", 10],
  ["ces_5", "numbers", 5],
  ["ces_7", "numbers", 7],
];

export const LANGUAGES = Object.keys(WORDS);

/** A survey of a kind with a text question after it. */
export function survey(language, scale, shown_as) {
  const words = WORDS[language];
  const rating = { scale, shown_as, low: words.low, high: words.high };
  return {
    name: "Kind",
    language,
    questions: [
      { id: "score", text: words.score, answer: { rating } },
      { id: "why", text: words.why, answer: { text: {} } },
    ],
    primary: "score",
    later_days: 7,
    thanks: { text: words.thanks, link: { url: "https://shop.example/review", text: words.link } },
  };
}

/** What a site says beside its surveys. */
export function notice(language) {
  return { privacy_url: "https://shop.example/privacy", why: WORDS[language].notice };
}
