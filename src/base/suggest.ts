/** Edits between two words: insert, delete, replace, or swap neighbours (optimal string alignment). */
const distance = (a: string, b: string): number => {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? (before[j - 2] ?? 0) + 1 : Infinity;
      row.push(Math.min(replaced, swapped, (previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    before = previous;
    previous = row;
  }
  return previous[b.length] ?? 0;
};

/** The hint for a word that is none of `known`: "did you mean `x`?" where one is near, otherwise the list. */
export const suggest = (word: string, known: readonly string[]): string => {
  const ranked = known.map((name) => ({ name, edits: distance(word.toLowerCase(), name.toLowerCase()) })).toSorted((a, b) => a.edits - b.edits);
  const nearest = ranked[0];
  const isNear = nearest !== undefined && nearest.edits <= Math.max(1, Math.floor(word.length / 3));
  return isNear ? `did you mean \`${nearest.name}\`?` : `known: ${known.join(", ")}`;
};
