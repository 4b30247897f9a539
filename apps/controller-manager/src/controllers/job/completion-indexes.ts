/** The indexes that `completedIndexes` names: "0-2,5". What lies beyond `completions` is left out. */
export function parseIndexes(text: string, completions: number): Set<number> {
  const indexes = new Set<number>();
  for (const part of text.split(',').filter((piece) => piece !== '')) {
    const [from = Number.NaN, to = from] = part.split('-').map(Number);
    for (let index = from; index <= Math.min(to, completions - 1); index++) indexes.add(index);
  }
  return indexes;
}

/** "0-2,5,7": two neighbours are listed, three or more are a range (k8s pkg/controller/job/indexed_job_utils.go). */
export function formatIndexes(indexes: ReadonlySet<number>): string {
  const runs: { from: number; to: number }[] = [];
  for (const index of [...indexes].sort((a, b) => a - b)) {
    const last = runs.at(-1);
    if (last?.to === index - 1) last.to = index;
    else runs.push({ from: index, to: index });
  }
  return runs
    .map(({ from, to }) => {
      if (from === to) return String(from);
      return to === from + 1 ? `${from},${to}` : `${from}-${to}`;
    })
    .join(',');
}
