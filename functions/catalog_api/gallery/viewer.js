// One photo, large, with all that is known of it; and the question before it is deleted.

import { call } from './api.js';
import { $, h, icon, ICONS, plain } from './dom.js';
import { picture } from './picture.js';
import { bytes, count, moment, t, write } from './texts.js';

/** Ask whether to delete an image. */
export function confirmDeletion(image) {
  const dialog = $('confirm');
  const answer = (value) => () => dialog.close(value);
  dialog.replaceChildren(
    h('h2', { id: 'confirm-title' }, t('deleteTitle')),
    h('p', {}, t('deleteText', { name: image.filename })),
    h('div', { class: 'buttons' },
      h('button', { type: 'button', autofocus: true, onclick: answer('') }, t('cancel')),
      h('button', { type: 'button', class: 'danger', onclick: answer('delete') }, t('delete'))),
  );
  dialog.returnValue = '';
  dialog.showModal();
  return new Promise((resolve) => {
    // Set, not added: a question that was answered by Escape must not hear the answer to the next.
    // The event comes later than the closing: one that finds this question open tells of the one before.
    dialog.onclose = () => dialog.open || resolve(dialog.returnValue === 'delete');
  });
}

export class Viewer {
  /**
   * `step(image, by)` gives the neighbour of an image, or undefined; `remove(image)` deletes; `refresh(image)` gives it fresh addresses;
   * `refused(error)` tells whether nobody is signed in any more; `opened()` and `closed(image)` are told.
   */
  constructor(does) {
    Object.assign(this, does);
    this.dialog = $('viewer');
    const part = (name) => this.dialog.querySelector(name);
    [this.frame, this.side, this.error, this.facts, this.original] = ['.frame', '.side', '.error', 'dl', '.primary'].map(part);
    [this.previous, this.next, this.shut] = ['previous', 'next', 'close'].map((name) => {
      part(`.${name}`).append(icon(ICONS[name]));
      return part(`.${name}`);
    });
    this.previous.addEventListener('click', () => this.turn(-1));
    this.next.addEventListener('click', () => this.turn(1));
    this.shut.addEventListener('click', () => this.close());
    part('.danger').addEventListener('click', () => this.remove(this.image));
    this.dialog.addEventListener('close', () => this.closed(this.image));
    this.dialog.addEventListener('keydown', (event) => plain(event) && this.key(event));
  }

  get isOpen() {
    return this.dialog.open;
  }

  /** Show an image at once with what is known, then with all that the API tells. */
  async open(image) {
    this.image = image;
    this.change(() => this.draw(image));
    if (!this.isOpen) this.dialog.showModal();
    this.opened();
    const detail = await call('GET', `images/${image.image_id}`).catch((error) => error);
    if (this.image !== image || !this.isOpen) return;
    if (!(detail instanceof Error)) this.change(() => this.describe(detail));
    else if (!this.refused(detail)) this.tell(detail.status === 404 ? 'gone' : 'unreachable');
  }

  /** Change what is shown. If the focus loses its place it goes to the button that closes: outside of the dialog no key is heard. */
  change(how) {
    const focused = document.activeElement;
    how();
    if (focused.disabled || !focused.checkVisibility()) this.shut.focus();
  }

  draw(image) {
    const frame = h('div', { class: 'frame' });
    frame.style.setProperty('--ratio', (image.width ?? 4) / (image.height ?? 3));
    picture(frame, image, 1280, this.refresh);
    frame.querySelector('img')?.setAttribute('alt', image.filename);
    this.frame.replaceWith(frame);
    this.frame = frame;
    $('viewer-title').textContent = image.filename;
    this.side.scrollTop = 0;
    this.tell();
    this.describe(image);
    this.turns();
  }

  /** Which neighbours there are to turn to. */
  turns() {
    this.change(() => {
      this.previous.disabled = !this.step(this.image, -1);
      this.next.disabled = !this.step(this.image, 1);
    });
  }

  /** Say what went wrong, by the name of its text. */
  tell(name) {
    write(this.error, name);
  }

  describe(image) {
    const took = image.processed_at && (new Date(image.processed_at) - new Date(image.uploaded_at)) / 1000;
    const size = { width: count(image.width), height: count(image.height), size: count(Math.round((image.width * image.height) / 1e5) / 10) };
    const facts = [
      ['dimensions', image.width && t('megapixels', size)],
      ['camera', image.camera],
      ['captured', image.captured_at && moment(image.captured_at)],
      ['uploaded', moment(image.uploaded_at)],
      ['processed', took > 0 && t('seconds', { value: count(Math.round(took * 10) / 10) })],
      ['file', [image.format, image.bytes && bytes(image.bytes)].filter(Boolean).join(', ')],
      ['thumbnails', Object.keys(image.thumbnails).length && thumbnailLinks(image)],
      ['fingerprint', image.sha256 && h('code', {}, `${image.sha256.slice(0, 16)}…`)],
    ];
    this.facts.replaceChildren(...facts.filter(([, value]) => value).flatMap(([name, value]) => [h('dt', {}, t(name)), h('dd', {}, value)]));
    this.original.hidden = !image.original_url;
    this.original.href = image.original_url ?? '';
  }

  turn(by) {
    const other = this.step(this.image, by);
    if (other) this.open(other);
  }

  key(event) {
    if (event.key === 'ArrowRight') this.turn(1);
    if (event.key === 'ArrowLeft') this.turn(-1);
    if (event.key === 'Delete') this.remove(this.image);
  }

  close() {
    this.dialog.close();
  }
}

function thumbnailLinks(image) {
  const sizes = Object.values(image.thumbnails).sort((one, other) => other.width - one.width);
  const link = (size) => h('li', {}, h('a', { href: size.url, target: '_blank', rel: 'noopener' }, `${size.width} × ${size.height}`), ` ${size.bytes ? bytes(size.bytes) : ''}`);
  return h('ul', { class: 'links' }, ...sizes.map(link));
}
