// One photo, large, with all that is known of it; and the question before it is deleted.

import { call } from './api.js';
import { $, h, icon, ICONS } from './dom.js';
import { picture } from './grid.js';
import { bytes, count, moment, t } from './texts.js';

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
  /** `step(image, by)` gives the neighbour of an image, or undefined; `remove(image)` deletes; `closed(image)` is told the end. */
  constructor({ step, remove, closed }) {
    Object.assign(this, { step, remove, closed });
    this.dialog = $('viewer');
    this.dialog.addEventListener('close', () => this.closed(this.image));
    this.dialog.addEventListener('keydown', (event) => this.key(event));
  }

  get isOpen() {
    return this.dialog.open;
  }

  /** Show an image at once with what is known, then with all that the API tells. */
  async open(image) {
    this.image = image;
    this.draw(image);
    if (!this.dialog.open) this.dialog.showModal();
    const detail = await call('GET', `images/${image.image_id}`).catch((error) => error);
    if (this.image !== image) return;
    if (detail instanceof Error) this.facts.prepend(h('p', { class: 'error', role: 'alert' }, t(detail.status === 404 ? 'gone' : 'unreachable')));
    else this.facts.replaceChildren(...this.describe(detail));
  }

  draw(image) {
    const stage = h('div', { class: 'stage' });
    const frame = h('div', { class: 'frame' });
    const ratio = (image.width ?? 4) / (image.height ?? 3);
    frame.style.setProperty('--ratio', ratio);
    picture(frame, image, 1280, async () => call('GET', `images/${image.image_id}`).catch(() => null));
    frame.querySelector('img')?.setAttribute('alt', image.filename);
    const turn = (by, name, shape) => {
      const other = this.step(image, by);
      return h('button', { type: 'button', class: `icon turn ${name}`, 'aria-label': t(name), disabled: !other, onclick: () => this.turn(by) }, icon(shape));
    };
    stage.append(frame, turn(-1, 'previous', ICONS.previous), turn(1, 'next', ICONS.next));
    const close = h('button', { type: 'button', class: 'icon close', 'aria-label': t('close'), onclick: () => this.dialog.close() }, icon(ICONS.close));
    this.facts = h('div', { class: 'facts' }, ...this.describe(image));
    const side = h('div', { class: 'side', tabIndex: 0, role: 'region', 'aria-labelledby': 'viewer-title' }, h('h2', { id: 'viewer-title' }, image.filename), this.facts);
    this.dialog.replaceChildren(stage, side, close);
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
    const list = facts.filter(([, value]) => value).flatMap(([name, value]) => [h('dt', {}, t(name)), h('dd', {}, value)]);
    const original = image.original_url && h('a', { class: 'button primary', href: image.original_url, rel: 'noopener' }, t('download'));
    const remove = h('button', { type: 'button', class: 'danger', onclick: () => this.remove(this.image) }, t('delete'));
    return [h('dl', {}, ...list), h('div', { class: 'buttons' }, original, remove)];
  }

  turn(by) {
    const other = this.step(this.image, by);
    if (!other) return;
    const name = by > 0 ? 'next' : 'previous';
    const pressed = document.activeElement?.classList.contains('turn');
    this.open(other);
    const again = this.dialog.querySelector(`.turn.${name}:enabled`) ?? this.dialog.querySelector('.close');
    if (pressed) again.focus();
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
