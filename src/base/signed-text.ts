import { hash } from "./hash.ts";

const hashLine = /^(?:\/\/|#) Content hash: ([0-9a-f]{24})$/m;

/**
 * A generated text with its licence and the hash of its content in front, by which an edit shows.
 * @param comment how a line of comment begins
 * @param opening a line that the format wants first
 */
export const signedText = (comment: "//" | "#", content: string, opening?: string): string =>
  `${opening === undefined ? "" : `${opening}\n`}${comment} SPDX-License-Identifier: Apache-2.0\n${comment} Content hash: ${hash([content])}\n${content}`;

/** True for a generated text that nobody has edited: the hash in front matches the content. */
export const isPristine = (text: string): boolean => {
  const found = hashLine.exec(text);
  return found !== null && hash([text.slice(found.index + found[0].length + 1)]) === found[1];
};
