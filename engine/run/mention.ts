/**
 * How a message mentions an earlier step: by instance while it is made, by offset once the run is over, by line when it is shown. Lines move with
 * every edit above them; the message does not have to be made again. The marks are private-use characters that no text of ours contains.
 */
const STEP_MENTION = /\uE000(\d+)\uE001/g;
const LINE_MENTION = /\uE002(\d+)\uE003/g;

/** Mention the step of an instance in a message. */
export const mentionStep = (instance: number): string => `\uE000${instance}\uE001`;

/** Mention the line of an offset in a message. */
export const mentionLine = (offset: number): string => `\uE002${offset}\uE003`;

export const resolveSteps = (message: string, text: (instance: number) => string): string =>
  message.replace(STEP_MENTION, (_, instance) => text(Number(instance)));

export const resolveLines = (message: string, text: (offset: number) => string): string =>
  message.replace(LINE_MENTION, (_, offset) => text(Number(offset)));
