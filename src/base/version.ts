/** The first dotted number in what a tool prints about itself, or undefined. */
export const versionIn = (printed: string): string | undefined => /\d+(\.\d+)+/.exec(printed)?.[0];

/** Negative, 0 or positive as version `a` is below, equal to or above `b`; each dotted part is a number, so 5.006 is 5, 6. */
export const compareVersions = (a: string, b: string): number => {
  const [left, right] = [a, b].map((version) => version.split(".").map(Number)) as [number[], number[]];
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
};
