/** What the widget says has happened, by what it means for asking again. */
const OUTCOMES = { answered: "answered", completed: "answered", dismissed: "dismissed", later: "later" };

/**
 * Keeps what comes of a survey, from before it shows: so other tabs know. Of a preview nothing is kept,
 * and nothing of one that was ended from outside.
 */
export function record({ id }, { store, emit, draft, signal }) {
  const key = `asked/${id}`;
  const before = store.read(key);
  let outcome = "ignored";
  let known = {};
  const keep = (text) => draft || signal.aborted || store.write(key, text);
  const keepOutcome = () => keep(`${outcome} ${Date.now()}`);
  keepOutcome();
  return {
    /** As if it had not been asked. */
    undo: () => (before ? keep(before) : store.remove(key)),

    /** It was answered, where nobody tells how. */
    answered() {
      outcome = "answered";
      keepOutcome();
    },

    /** Takes what has happened to a display, with its state, and tells the page. */
    async happened(what, display, json = "{}") {
      if (outcome !== "answered") outcome = OUTCOMES[what] ?? outcome;
      keepOutcome();
      // The page may have patched JSON.
      const { answers = {} } = await new Response(json).json();
      const detail = { survey: id, display, answers };
      if (what === "later") return emit("dismissed", { ...detail, later: true });
      if (what !== "answered") return emit(what, detail);
      for (const [question, answer] of Object.entries(answers)) {
        if (`${answer}` !== `${known[question]}`) emit(what, { ...detail, question, answer });
      }
      known = answers;
    },
  };
}
