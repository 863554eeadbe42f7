// The large view of one photo with its details.

import { call } from './api.js';
import { $, h, hasNoModifier, icon, ICONS } from './dom.js';
import { showOriginal } from './original.js';
import { showImage } from './picture.js';
import { formatBytes, formatCount, formatTaken, formatTime, setText, t } from './texts.js';
import { Zoom } from './zoom.js';

const LARGE_WIDTH = 1280;

export class Viewer {
  /**
   * `neighbourOf(image, step)` returns an image or undefined. `remove(image)` deletes and `share(image)` shares one.
   * `refresh(image)` renews its presigned URLs. `handleRefusal(error)` shows the sign-in and returns true if the
   * caller must sign in again. `onOpen(isFirst)` and `onClose(image)` are called afterwards.
   */
  constructor(actions) {
    Object.assign(this, actions);
    this.dialog = $('viewer');
    const part = (selector) => this.dialog.querySelector(selector);
    this.frame = part('.frame');
    this.side = part('.side');
    this.error = part('.error');
    this.details = part('dl');
    this.downloadLink = part('.primary');
    const button = (name, action) => {
      part(`.${name}`).append(icon(ICONS[name]));
      part(`.${name}`).addEventListener('click', action);
      return part(`.${name}`);
    };
    this.previousButton = button('previous', () => this.move(-1));
    this.nextButton = button('next', () => this.move(1));
    this.closeButton = button('close', () => this.close());
    this.zoomOutButton = button('zoom-out', () => this.zoom.step(-1));
    button('zoom-in', () => this.zoom.step(1));
    part('.danger').addEventListener('click', () => this.remove(this.image));
    part('.share').addEventListener('click', () => this.share(this.image));
    this.zoom = new Zoom(part('.stage'), { onSwipe: (step) => this.move(step), onZoom: () => this.sharpen() });
    this.dialog.addEventListener('close', () => this.onClose(this.image));
    this.dialog.addEventListener('keydown', (event) => this.handleKey(event));
    addEventListener('resize', () => this.isOpen && this.zoom.apply());
  }

  get isOpen() {
    return this.dialog.open;
  }

  /** Shows an image with the fields of the list, and then with all fields that the API returns for it. */
  async open(image) {
    const isFirst = !this.isOpen;
    this.image = image;
    this.updateKeepingFocus(() => this.draw(image));
    if (isFirst) this.dialog.showModal();
    // The frame has its size only after the dialog is open.
    this.zoom.reset(this.frame, image.width ?? 0);
    this.onOpen(isFirst);
    const result = await call('GET', `images/${image.image_id}`).catch((error) => error);
    if (this.image !== image || !this.isOpen) return;
    if (!(result instanceof Error)) {
      this.updateKeepingFocus(() => this.showDetails(result));
      this.sharpen();
    } else if (!this.handleRefusal(result)) this.showError(result.status === 404 ? 'notFound' : 'unreachable');
  }

  /** Calls `update`. If that hides the focused element, Close gets the focus, because the dialog needs it for keys. */
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
    frame.querySelector('img')?.setAttribute('draggable', 'false');
    this.frame.replaceWith(frame);
    this.frame = frame;
    $('viewer-title').textContent = image.filename;
    this.side.scrollTop = 0;
    this.showError();
    this.showDetails(image);
    this.updateButtons();
  }

  /** Loads the original if the thumbnail is not sharp. */
  sharpen() {
    this.updateKeepingFocus(() => (this.zoomOutButton.disabled = !this.zoom.isZoomed));
    if (this.detail?.image_id === this.image?.image_id) showOriginal(this.frame, this.detail, this.zoom.scale);
  }

  /** Disables the buttons that have no neighbour to show. */
  updateButtons() {
    if (!this.image) return;
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
    this.detail = image;
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
    // The details scroll with the arrow keys, and + needs Shift on most keyboards.
    const isForZoom = !(event.altKey || event.ctrlKey || event.metaKey || event.target === this.side);
    if (isForZoom && this.zoom.handleKey(event)) return event.preventDefault();
    if (!hasNoModifier(event)) return undefined;
    if (event.key === 'ArrowRight') this.move(1);
    if (event.key === 'ArrowLeft') this.move(-1);
    if (event.key === 'Delete') this.remove(this.image);
    return undefined;
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
    ['captured', image.taken_from === 'camera' && formatTaken(image)],
    ['uploaded', formatTime(image.uploaded_at)],
    ['processed', seconds > 0 && t('seconds', { value: formatCount(Math.round(seconds * 10) / 10) })],
    ['file', [image.format, image.bytes && formatBytes(image.bytes)].filter(Boolean).join(', ')],
    ['duplicates', image.duplicates?.length && duplicateLinks(image.duplicates)],
    ['thumbnails', Object.keys(image.thumbnails).length && thumbnailLinks(image)],
    ['fingerprint', image.sha256 && h('code', {}, `${image.sha256.slice(0, 16)}…`)],
  ];
}

function dimensionsOf({ width, height }) {
  const megapixels = Math.round((width * height) / 1e5) / 10;
  return t('megapixels', { width: formatCount(width), height: formatCount(height), size: formatCount(megapixels) });
}

function duplicateLinks(duplicates) {
  const items = duplicates.map(({ image_id: id, filename }) =>
    h('li', {}, h('a', { href: `#photo=${id}` }, filename)));
  return h('ul', { class: 'links' }, ...items);
}

function thumbnailLinks(image) {
  const sizes = Object.values(image.thumbnails).sort((size, other) => other.width - size.width);
  const items = sizes.map(({ url, width, height, bytes }) => {
    const link = h('a', { href: url, target: '_blank', rel: 'noopener' }, `${width} × ${height}`);
    return h('li', {}, link, ` ${bytes ? formatBytes(bytes) : ''}`);
  });
  return h('ul', { class: 'links' }, ...items);
}
