// Declarations of `window.asklet` for TypeScript. docs/embed.md says what each command does.

export {};

declare global {
  interface Window {
    asklet: Asklet;
  }
  const asklet: Asklet;
}

export interface Asklet {
  (command: "init", options: Options): void;
  (command: "identify", token: string): void;
  (command: "traits", traits: Record<string, string | number | boolean | null>): void;
  (command: "track", event: string, properties?: Record<string, string | number | boolean | null>): void;
  (command: "show", survey: string): void;
  (command: "close"): void;
  /** Gives what takes the callback away again, once the script is there; the queue stub gives nothing. */
  <Name extends keyof Events>(
    command: "on",
    event: Name,
    callback: (detail: Events[Name]) => void,
  ): (() => void) | undefined;
  (command: "consent", given: boolean): void;
  (command: "reset"): void;
  (command: "language", tag: string): void;
}

export interface Options {
  /** The site's id. */
  site: string;
  /** The address of asklet.js, where the page cannot tell: its folder is where everything else lies. */
  src?: string;
  /** Nothing is fetched, stored or sent before consent is given. */
  consent?: "required";
}

/** An answer: a score, a text, or the chosen options. */
export type Answer = number | string | (string | { other: string })[];

/** One showing of a survey. In a frame, where the page cannot look, there is no `display` and no answer. */
export interface Display {
  survey: string;
  display?: string;
  /** By the questions' ids, all that are given so far. */
  answers: Record<string, Answer>;
}

export interface Events {
  shown: Display;
  answered: Display & { question: string; answer: Answer };
  completed: Display;
  /** `later` where the visitor put it off. */
  dismissed: Display & { later?: true };
  /** `directive`: the directive of the page's policy that forbids the survey. */
  error: { message: string; survey?: string; directive?: string };
}
