// The cells of the grid: a photo, and the line of a rejected or a deleted file.

import { h } from './dom.js';
import { showImage, showPlaceholder } from './picture.js';
import { formatBytes, formatTime, rejectionText, t } from './texts.js';

/** Returns the cell of a photo. Until the list ends, the size of the set is unknown, which is -1 in ARIA. */
export function newPhotoCell(image, name, width, refresh) {
  const button = h('button', { type: 'button', class: 'tile', 'aria-label': name });
  showImage(button, image, width, refresh);
  const cell = h('div', { class: 'cell', role: 'listitem', 'aria-setsize': -1 }, button);
  cell.dataset.name = name;
  cell.image = image;
  return cell;
}

/** Returns the line of a rejected image, which can be deleted, or of a deleted one, which can be restored. */
export function newListCell(image, { index, width }, action) {
  const isDeleted = Boolean(image.deleted_at);
  const [label, text] = isDeleted ? ['restoreName', 'restore'] : ['deleteName', 'delete'];
  const button = h('button', {
    type: 'button', class: isDeleted ? '' : 'danger', 'aria-label': t(label, { name: image.filename }),
    onclick: () => action(image),
  }, t(text));
  button.dataset.index = index;
  const words = h('div', { class: 'words' }, h('strong', {}, image.filename), ...factsOf(image, isDeleted));
  const position = { role: 'listitem', 'aria-posinset': index + 1, 'aria-setsize': -1 };
  const cell = h('div', { class: 'cell', ...position }, words, button);
  if (isDeleted) {
    const preview = h('div', { class: 'preview' });
    showPlaceholder(preview, image);
    cell.prepend(preview);
  }
  cell.style.width = `${width}px`;
  return cell;
}

function factsOf(image, isDeleted) {
  const size = formatBytes(image.bytes ?? 0);
  if (!isDeleted) {
    const facts = t('rejectedAt', { size, time: formatTime(image.uploaded_at) });
    return [h('span', {}, rejectionText(image)), h('small', {}, facts)];
  }
  const until = t('restorableUntil', { time: formatTime(image.restorable_until) });
  return [h('span', {}, until), h('small', {}, t('deletedAt', { size, time: formatTime(image.deleted_at) }))];
}
