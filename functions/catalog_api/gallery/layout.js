// Where everything stands: rows of photos that fill the width, a heading for each day. Pure arithmetic, no DOM.

const GAP = 6;
const HEADING = 64;

/** How high a row of photos should be about, for a width. */
export const rowHeight = (width) => (width < 600 ? 132 : width < 1100 ? 200 : 236);

const ratioOf = (image) => Math.min(3, Math.max(0.45, image.width && image.height ? image.width / image.height : 1));

/** Rows of photos, each `{top, height, day?, tiles?: [{index, left, width}]}`, for images newest first. */
export function photoRows(images, width, dayOf) {
  const rows = [];
  const wanted = rowHeight(width);
  let [top, day, line, ratios, usual] = [0, undefined, [], 0, wanted];
  const close = (full) => {
    if (!line.length) return;
    const exact = (width - GAP * (line.length - 1)) / ratios;
    const height = full ? exact : Math.min(usual, exact);
    usual = height;
    let left = 0;
    const tiles = line.map((index) => {
      const tile = { index, left, width: ratioOf(images[index]) * height };
      left += tile.width + GAP;
      return tile;
    });
    rows.push({ top, height, tiles });
    top += height + GAP;
    [line, ratios] = [[], 0];
  };
  images.forEach((image, index) => {
    const today = dayOf(image);
    if (today !== day) {
      close(false);
      day = today;
      rows.push({ top, height: HEADING, day });
      top += HEADING;
    }
    line.push(index);
    ratios += ratioOf(image);
    if ((width - GAP * (line.length - 1)) / ratios <= wanted) close(true);
  });
  close(false);
  return rows;
}

/** One row for each image, for a list of texts. */
export function listRows(images, width) {
  const height = width < 600 ? 128 : 88;
  return images.map((_, index) => ({ top: index * height, height, tiles: [{ index, left: 0, width }] }));
}

/** The first and last row that touch the range of heights `from` to `to`. */
export function visible(rows, from, to) {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle].top + rows[middle].height < from) low = middle + 1;
    else high = middle;
  }
  let last = low;
  while (last < rows.length && rows[last].top <= to) last++;
  return [low, last - 1];
}

/** The index above or below another: the one whose middle is nearest. */
export function neighbour(rows, index, step) {
  const lines = rows.filter((row) => row.tiles);
  const at = lines.findIndex((row) => row.tiles.some((tile) => tile.index === index));
  const [from, to] = [lines[at], lines[at + step]];
  if (!from || !to) return index;
  const middle = (tile) => tile.left + tile.width / 2;
  const wanted = middle(from.tiles.find((tile) => tile.index === index));
  return to.tiles.reduce((best, tile) => (Math.abs(middle(tile) - wanted) < Math.abs(middle(best) - wanted) ? tile : best)).index;
}
