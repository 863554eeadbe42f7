// The cells of the grid: a photo, and the line of a rejected file.

import { h } from './dom.js';
import { showImage } from './picture.js';
import { formatBytes, formatTime, rejectionText, t } from './texts.js';

/** Returns the cell of a photo. The size of the set is unknown until the list ends, for which ARIA has -1. */
export function newPhotoCell(image, name, width, refresh) {
  const button = h('button', { type: 'button', class: 'tile', 'aria-label': name });
  showImage(button, image, width, refresh);
  const cell = h('div', { class: 'cell', role: 'listitem', 'aria-setsize': -1 }, button);
  cell.dataset.name = name;
  cell.image = image;
  return cell;
}

/** Returns the line of a rejected image. */
export function newListCell(image, { index, width }, remove) {
  const facts = t('rejectedAt', { size: formatBytes(image.bytes ?? 0), time: formatTime(image.uploaded_at) });
  const label = t('deleteName', { name: image.filename });
  const onclick = () => remove(image);
  const button = h('button', { type: 'button', class: 'danger', 'aria-label': label, onclick }, t('delete'));
  button.dataset.index = index;
  const words = h('div', { class: 'words' },
    h('strong', {}, image.filename),
    h('span', {}, rejectionText(image)),
    h('small', {}, facts));
  const position = { role: 'listitem', 'aria-posinset': index + 1, 'aria-setsize': -1 };
  const cell = h('div', { class: 'cell', ...position }, words, button);
  cell.style.width = `${width}px`;
  return cell;
}
