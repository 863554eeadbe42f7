// The large view of one photo with its details, and the question before a deletion.

import { call } from './api.js';
import { $, h, hasNoModifier, icon, ICONS } from './dom.js';
import { showImage } from './picture.js';
import { formatBytes, formatCount, formatTime, setText, t } from './texts.js';

const LARGE_WIDTH = 1280;

/** Asks whether to delete an image. Returns a promise of the answer. */
export function confirmDeletion(image) {
  const dialog = $('confirm');
  const closeWith = (value) => () => dialog.close(value);
  dialog.replaceChildren(
    h('h2', { id: 'confirm-title' }, t('deleteTitle')),
    h('p', {}, t('deleteText', { name: image.filename })),
    h('div', { class: 'buttons' },
      h('button', { type: 'button', autofocus: true, onclick: closeWith('') }, t('cancel')),
      h('button', { type: 'button', class: 'danger', onclick: closeWith('delete') }, t('delete'))),
  );
  dialog.returnValue = '';
  dialog.showModal();
  return new Promise((resolve) => {
    // onclose replaces the listener of the last question, which must not receive this answer. The browser sends the
    // event after the dialog has closed. If the dialog is open, the event belongs to the last question.
    dialog.onclose = () => dialog.open || resolve(dialog.returnValue === 'delete');
  });
}

export class Viewer {
  /**
   * `neighbourOf(image, step)` returns an image or undefined. `remove(image)` deletes an image. `refresh(image)` renews
   * its presigned URLs. `handleRefusal(error)` shows the sign-in and returns true if the caller must sign in again.
   * `onOpen()` and `onClose(image)` are called afterwards.
   */
  constructor({ neighbourOf, remove, refresh, handleRefusal, onOpen, onClose }) {
    Object.assign(this, { neighbourOf, remove, refresh, handleRefusal, onOpen, onClose });
    this.dialog = $('viewer');
    const part = (selector) => this.dialog.querySelector(selector);
    this.frame = part('.frame');
    this.side = part('.side');
    this.error = part('.error');
    this.details = part('dl');
    this.downloadLink = part('.primary');
    [this.previousButton, this.nextButton, this.closeButton] = ['previous', 'next', 'close'].map((name) => {
      part(`.${name}`).append(icon(ICONS[name]));
      return part(`.${name}`);
    });
    this.previousButton.addEventListener('click', () => this.move(-1));
    this.nextButton.addEventListener('click', () => this.move(1));
    this.closeButton.addEventListener('click', () => this.close());
    part('.danger').addEventListener('click', () => this.remove(this.image));
    this.dialog.addEventListener('close', () => this.onClose(this.image));
    this.dialog.addEventListener('keydown', (event) => hasNoModifier(event) && this.handleKey(event));
  }

  get isOpen() {
    return this.dialog.open;
  }

  /** Shows an image with the fields of the list, and then with all fields that the API returns for it. */
  async open(image) {
    this.image = image;
    this.updateKeepingFocus(() => this.draw(image));
    if (!this.isOpen) this.dialog.showModal();
    this.onOpen();
    const result = await call('GET', `images/${image.image_id}`).catch((error) => error);
    if (this.image !== image || !this.isOpen) return;
    if (!(result instanceof Error)) this.updateKeepingFocus(() => this.showDetails(result));
    else if (!this.handleRefusal(result)) this.showError(result.status === 404 ? 'notFound' : 'unreachable');
  }

  /** Calls `update`. Moves the focus to Close if its element was hidden: the dialog hears keys only with the focus. */
  updateKeepingFocus(update) {
    const focused = document.activeElement;
    update();
    if (focused.disabled || !focused.checkVisibility()) this.closeButton.focus();
  }

  draw(image) {
    const frame = h('div', { class: 'frame' });
    frame.style.setProperty('--ratio', (image.width ?? 4) / (image.height ?? 3));
    showImage(frame, image, LARGE_WIDTH, this.refresh);
    frame.querySelector('img')?.setAttribute('alt', image.filename);
    this.frame.replaceWith(frame);
    this.frame = frame;
    $('viewer-title').textContent = image.filename;
    this.side.scrollTop = 0;
    this.showError();
    this.showDetails(image);
    this.updateButtons();
  }

  /** Disables the buttons that have no neighbour to show. */
  updateButtons() {
    this.updateKeepingFocus(() => {
      this.previousButton.disabled = !this.neighbourOf(this.image, -1);
      this.nextButton.disabled = !this.neighbourOf(this.image, 1);
    });
  }

  /** Shows an error by the name of its text, or removes it. */
  showError(name) {
    setText(this.error, name);
  }

  showDetails(image) {
    const details = detailsOf(image).filter(([, value]) => value);
    const elements = details.flatMap(([name, value]) => [h('dt', {}, t(name)), h('dd', {}, value)]);
    this.details.replaceChildren(...elements);
    this.downloadLink.hidden = !image.original_url;
    this.downloadLink.href = image.original_url ?? '';
  }

  move(step) {
    const neighbour = this.neighbourOf(this.image, step);
    if (neighbour) this.open(neighbour);
  }

  handleKey(event) {
    if (event.key === 'ArrowRight') this.move(1);
    if (event.key === 'ArrowLeft') this.move(-1);
    if (event.key === 'Delete') this.remove(this.image);
  }

  close() {
    this.dialog.close();
  }
}

/** Returns pairs of a text's name and a value, which is empty for a field that the image does not have. */
function detailsOf(image) {
  const seconds = image.processed_at && (new Date(image.processed_at) - new Date(image.uploaded_at)) / 1000;
  return [
    ['dimensions', image.width && dimensionsOf(image)],
    ['camera', image.camera],
    ['captured', image.captured_at && formatTime(image.captured_at)],
    ['uploaded', formatTime(image.uploaded_at)],
    ['processed', seconds > 0 && t('seconds', { value: formatCount(Math.round(seconds * 10) / 10) })],
    ['file', [image.format, image.bytes && formatBytes(image.bytes)].filter(Boolean).join(', ')],
    ['thumbnails', Object.keys(image.thumbnails).length && thumbnailLinks(image)],
    ['fingerprint', image.sha256 && h('code', {}, `${image.sha256.slice(0, 16)}…`)],
  ];
}

function dimensionsOf({ width, height }) {
  const megapixels = Math.round((width * height) / 1e5) / 10;
  return t('megapixels', { width: formatCount(width), height: formatCount(height), size: formatCount(megapixels) });
}

function thumbnailLinks(image) {
  const sizes = Object.values(image.thumbnails).sort((size, other) => other.width - size.width);
  const items = sizes.map(({ url, width, height, bytes }) => {
    const link = h('a', { href: url, target: '_blank', rel: 'noopener' }, `${width} × ${height}`);
    return h('li', {}, link, ` ${bytes ? formatBytes(bytes) : ''}`);
  });
  return h('ul', { class: 'links' }, ...items);
}
