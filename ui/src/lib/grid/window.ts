// Which rows of a long table to draw. Heights are fixed, so nothing is measured.

/** Top of each item and, last, the height of all. */
export function offsets(heights: ArrayLike<number>): Float64Array {
  const tops = new Float64Array(heights.length + 1);
  for (let i = 0; i < heights.length; i++) tops[i + 1] = (tops[i] ?? 0) + (heights[i] ?? 0);
  return tops;
}

export interface Slice {
  from: number;
  to: number;
  /** Height of what is left out above and below. */
  before: number;
  after: number;
}

/** The items that a viewport shows, with some more on both sides so that a fast scroll finds them drawn. */
export function slice(tops: Float64Array, scrollTop: number, viewport: number, overscan = 12): Slice {
  const count = tops.length - 1;
  const from = Math.max(0, indexAt(tops, scrollTop) - overscan);
  const to = Math.min(count, indexAt(tops, scrollTop + viewport) + 1 + overscan);
  const all = tops[count] ?? 0;
  return { from, to, before: tops[from] ?? 0, after: all - (tops[to] ?? all) };
}

/** The last item that begins at or above `y`. */
function indexAt(tops: Float64Array, y: number): number {
  let low = 0;
  let high = Math.max(0, tops.length - 2);
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((tops[middle] ?? 0) <= y) low = middle;
    else high = middle - 1;
  }
  return low;
}
