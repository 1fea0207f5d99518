/** What the widget says has happened, by what it means for asking again. */
const OUTCOMES = { answered: "answered", completed: "answered", dismissed: "dismissed", later: "later" };

/**
 * Keeps what comes of a survey, from when it shows. Of a preview nothing is kept, and nothing of one that
 * was ended from outside.
 */
export function record({ id }, { store, emit, draft, signal }) {
  let outcome = "ignored";
  let known = {};
  return {
    /** Takes what has happened to a display, with its state, and tells the page. */
    async happened(what, display, json = "{}") {
      if (outcome !== "answered") outcome = OUTCOMES[what] ?? outcome;
      if (!draft && !signal.aborted) store.write(`asked/${id}`, `${outcome} ${Date.now()}`);
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
