// What a visitor is asked depends on the answers and on the language.

import { expect, surveyIn, test } from "./test.mjs";

test.use({
  locale: "de-AT",
  definition: {
    name: "Effort",
    questions: [
      {
        id: "effort",
        text: { en: "How easy was it?", de: "Wie einfach war es?" },
        answer: { rating: { scale: "ces_7", low: "Hard", high: "Easy" } },
      },
      {
        id: "obstacle",
        text: { en: "What stood in your way?", de: "Was stand im Weg?" },
        answer: { text: {} },
        show_if: { question: "effort", is: { category: ["hard"] } },
      },
      { id: "more", text: "Anything else?", answer: { text: {} } },
    ],
    primary: "effort",
    thanks: {
      text: "Thank you!",
      by_category: {
        easy: { text: "Wonderful!", link: { url: "https://reviews.example/", text: "Write a review" } },
      },
    },
  },
});

test("a question whose condition is not met is passed over, and the thanks fit the score", async ({ page, live, pageUrl }) => {
  await page.goto(pageUrl("no-language"));
  const survey = surveyIn(page);
  await expect(survey.dialog.getByRole("group", { name: "Wie einfach war es?" })).toBeVisible();
  await expect(survey.dialog.getByRole("radio")).toHaveCount(7);
  await survey.score(6).click();
  await expect(survey.dialog.getByRole("textbox", { name: "Anything else?" })).toBeVisible();
  await survey.button("Send").click();
  await expect(survey.thanks).toHaveText("Wonderful!");
  const link = survey.dialog.getByRole("link", { name: "Write a review" });
  await expect(link).toHaveAttribute("href", "https://reviews.example/");
  await expect(link).toHaveAttribute("rel", "noopener noreferrer");
  await expect.poll(live.summary).toMatchObject({ metric: "ces", score: 1, n: 1, mean: 6, funnel: { completed: 1 } });
});

test("a question whose condition is met is asked", async ({ page, live, pageUrl, collected }) => {
  await page.goto(pageUrl("no-language"));
  const survey = surveyIn(page);
  await survey.score(1).click();
  await survey.dialog.getByRole("textbox", { name: "Was stand im Weg?" }).fill("Die Kasse.");
  await survey.button("Weiter").click();
  await survey.dialog.getByRole("textbox", { name: "Anything else?" }).fill("Nein.");
  await survey.button("Send").click();
  await expect(survey.thanks).toHaveText("Thank you!");
  await expect.poll(live.summary).toMatchObject({ score: 0, counts: { hard: 1 }, funnel: { completed: 1 } });
  await expect.poll(() => collected.at(-1)).toMatchObject({
    status: 204,
    display: { language: "de", answers: { effort: 1, obstacle: "Die Kasse.", more: "Nein." } },
  });
});

test("the page's language comes before the visitor's", async ({ page, pageUrl }) => {
  await page.goto(pageUrl("plain"));
  await expect(surveyIn(page).dialog.getByRole("group", { name: "How easy was it?" })).toBeVisible();
});
