// A page that uses every command as docs/embed.md has it. Lines that must not compile say so.

import type { Answer, Display } from "../../../widget/loader/asklet";

asklet("init", { site: "any-site" });
asklet("init", { site: "any-site", src: "https://asklet.example/asklet.js", consent: "required" });
asklet("identify", "a.b.c");
asklet("traits", { plan: "pro", seats: 3, trial: false, role: null });
asklet("track", "bought");
asklet("track", "bought", { total: 12.5 });
asklet("show", "survey");
asklet("close");
asklet("consent", true);
asklet("reset");
window.asklet("language", "de-AT");

const told: Display[] = [];
const answers: Answer[] = [];
const remove = asklet("on", "shown", (display) => told.push(display));
remove?.();
asklet("on", "completed", (display) => told.push(display));
asklet("on", "answered", ({ question, answer }) => answers.push(question, answer));
asklet("on", "dismissed", ({ later, survey }) => console.log(later === true, survey.length));
asklet("on", "error", ({ message, directive }) => console.log(message.length, directive?.length));

// @ts-expect-error The queue stub gives nothing.
remove();
// @ts-expect-error There is no such command.
asklet("open");
// @ts-expect-error There is no such event.
asklet("on", "seen", () => {});
// @ts-expect-error A site is told by its id.
asklet("init", {});
// @ts-expect-error Consent is given or not.
asklet("consent", "yes");
// @ts-expect-error An answer is no date.
asklet("on", "answered", ({ answer }) => (answer as Date).getTime());
