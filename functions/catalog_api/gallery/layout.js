// Computes where photos and headings stand: rows that fill the width, and a heading for each day. Uses no DOM.

const GAP = 6;
const HEADING_HEIGHT = 64;

/** Returns the target height of rows of photos for a width of the grid. */
export const targetRowHeight = (width) => (width < 600 ? 132 : width < 1100 ? 200 : 236);

function aspectRatioOf(image) {
  return Math.min(3, Math.max(0.45, image.width && image.height ? image.width / image.height : 1));
}

/** Returns rows `{top, height, day?, tiles?: [{index, left, width}]}` of photos, for images sorted newest first. */
export function photoRows(images, width, dayOf) {
  const rows = [];
  const targetHeight = targetRowHeight(width);
  let [top, day, line, ratios, lastHeight] = [0, undefined, [], 0, targetHeight];
  const closeRow = (isFull) => {
    if (!line.length) return;
    const fittingHeight = (width - GAP * (line.length - 1)) / ratios;
    // The last row of a day keeps the height of the row above, so that its few photos are not enlarged.
    const height = isFull ? fittingHeight : Math.min(lastHeight, fittingHeight);
    lastHeight = height;
    let left = 0;
    const tiles = line.map((index) => {
      const tile = { index, left, width: aspectRatioOf(images[index]) * height };
      left += tile.width + GAP;
      return tile;
    });
    rows.push({ top, height, tiles });
    top += height + GAP;
    [line, ratios] = [[], 0];
  };
  images.forEach((image, index) => {
    const imageDay = dayOf(image);
    if (imageDay !== day) {
      closeRow(false);
      day = imageDay;
      rows.push({ top, height: HEADING_HEIGHT, day });
      top += HEADING_HEIGHT;
    }
    line.push(index);
    ratios += aspectRatioOf(image);
    if ((width - GAP * (line.length - 1)) / ratios <= targetHeight) closeRow(true);
  });
  closeRow(false);
  return rows;
}

/** Returns one row per image, for the list of rejected files. */
export function listRows(images, width) {
  const height = width < 600 ? 176 : 108;
  return images.map((_, index) => ({ top: index * height, height, tiles: [{ index, left: 0, width }] }));
}

/** Returns the indexes of the first and last row that touch the heights `from` to `to`, by binary search. */
export function visibleRows(rows, from, to) {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle].top + rows[middle].height < from) low = middle + 1;
    else high = middle;
  }
  let end = low;
  while (end < rows.length && rows[end].top <= to) end++;
  return [low, end - 1];
}

/** Returns the index of the photo with the nearest centre in the row above (`step` -1) or below (1). */
export function verticalNeighbour(rows, index, step) {
  const photoLines = rows.filter((row) => row.tiles);
  const position = photoLines.findIndex((row) => row.tiles.some((tile) => tile.index === index));
  const [from, to] = [photoLines[position], photoLines[position + step]];
  if (!from || !to) return index;
  const centre = (tile) => tile.left + tile.width / 2;
  const target = centre(from.tiles.find((tile) => tile.index === index));
  const distance = (tile) => Math.abs(centre(tile) - target);
  return to.tiles.reduce((nearest, tile) => (distance(tile) < distance(nearest) ? tile : nearest)).index;
}
