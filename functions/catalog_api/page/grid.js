// An endless grid: whatever is loaded, only the rows near the window are in the document.

import { paint } from './blurhash.js';
import { $, h } from './dom.js';
import { listRows, neighbour, photoRows, visible } from './layout.js';
import { bytes, day, moment, reason, t } from './texts.js';

const OVERSCAN_PX = 700;

export class Grid {
  /** `open(image)` and `remove(image)` are what its buttons do; `hungry()` is called when the end comes near. */
  constructor(element, { open, remove, hungry, refresh }) {
    Object.assign(this, { element, open, remove, hungry, refresh });
    this.images = [];
    this.rows = [];
    this.shown = new Map();
    this.active = 0;
    this.status = 'READY';
    this.width = 0;
    this.drawing = false;
    element.addEventListener('keydown', (event) => this.key(event));
    addEventListener('scroll', () => this.draw(), { passive: true });
    new ResizeObserver(() => this.resized()).observe(element);
  }

  /** Show other images from now on. */
  show(images, status) {
    [this.images, this.status, this.active] = [images, status, 0];
    this.layOut(true);
  }

  /** The images changed; `atEnd`: some were added behind the others only. */
  layOut(anew = true) {
    this.width = this.element.clientWidth;
    if (!this.width) return;
    const dayOf = (image) => new Date(image.uploaded_at).toDateString();
    this.rows = this.status === 'READY' ? photoRows(this.images, this.width, dayOf) : listRows(this.images, this.width);
    if (anew) this.forget();
    const last = this.rows.at(-1);
    this.element.style.height = `${last ? last.top + last.height : 0}px`;
    this.element.classList.toggle('list', this.status !== 'READY');
    this.active = Math.max(0, Math.min(this.active, this.images.length - 1));
    this.drawNow();
    this.kept = null;
  }

  /** Take all rows out of the document; what shows the same image again is used again. */
  forget() {
    const cells = [...this.element.querySelectorAll('.cell')].filter((cell) => cell.image && cell.dataset.name === this.nameOf(cell.image));
    this.kept = new Map(cells.map((cell) => [cell.image.image_id, cell]));
    this.shown.forEach((node) => node.remove());
    this.shown.clear();
  }

  nameOf(image) {
    return t('openPhoto', { name: image.filename, day: day(image.uploaded_at) });
  }

  resized() {
    if (this.element.clientWidth === this.width) return;
    const anchor = this.rows.find((row) => row.tiles && row.top + row.height > -this.offset());
    const index = anchor?.tiles[0].index;
    const above = anchor ? anchor.top + this.offset() : 0;
    this.layOut(true);
    const row = index && this.rowOf(index);
    if (row && above < 0) scrollBy(0, row.top + this.offset() - above);
  }

  /** Where the grid's top stands in the window. */
  offset() {
    return this.element.getBoundingClientRect().top;
  }

  draw() {
    if (this.drawing) return;
    this.drawing = true;
    requestAnimationFrame(() => this.drawNow());
  }

  drawNow() {
    this.drawing = false;
    const top = -this.offset();
    const [first, last] = visible(this.rows, top - OVERSCAN_PX, top + innerHeight + OVERSCAN_PX);
    const focused = this.element.contains(document.activeElement) ? this.rows.indexOf(this.rowOf(this.active)) : -1;
    for (const [index, node] of this.shown) {
      if ((index < first || index > last) && index !== focused) {
        node.remove();
        this.shown.delete(index);
      }
    }
    for (let index = first; index <= last; index++) if (!this.shown.has(index)) this.place(index);
    const end = this.rows.at(-1);
    if (!end || end.top + end.height - top < innerHeight * 3) this.hungry();
  }

  /** Put a row into the document, in reading order. */
  place(index) {
    const row = this.rows[index];
    const node = row.tiles ? h('div', { class: 'row', role: 'list' }) : h('h3', {}, day(this.images[this.dayStart(index)].uploaded_at));
    node.style.transform = `translateY(${row.top}px)`;
    node.style.height = `${row.height}px`;
    row.tiles?.forEach((tile) => node.append(this.status === 'READY' ? this.tile(tile) : this.line(tile)));
    const after = [...this.shown.keys()].filter((other) => other > index).reduce((least, other) => Math.min(least, other), Infinity);
    this.element.insertBefore(node, this.shown.get(after) ?? null);
    this.shown.set(index, node);
  }

  dayStart(index) {
    return this.rows[index + 1].tiles[0].index;
  }

  tile({ index, left, width }) {
    const box = this.kept?.get(this.images[index].image_id) ?? this.newCell(this.images[index], width);
    box.setAttribute('aria-posinset', index + 1);
    box.style.left = `${left}px`;
    box.style.width = `${width}px`;
    box.firstChild.dataset.index = index;
    box.firstChild.tabIndex = index === this.active ? 0 : -1;
    return box;
  }

  newCell(image, width) {
    const name = this.nameOf(image);
    const button = h('button', { type: 'button', class: 'tile', 'aria-label': name, onclick: () => this.choose(this.images.indexOf(image)) });
    picture(button, image, width, this.refresh);
    const box = h('div', { class: 'cell', role: 'listitem', 'aria-setsize': -1 }, button);
    box.dataset.name = name;
    box.image = image;
    return box;
  }

  line({ index, width }) {
    const image = this.images[index];
    const facts = t('rejectedAt', { size: bytes(image.bytes ?? 0), time: moment(image.uploaded_at) });
    const remove = h('button', { type: 'button', 'aria-label': t('deleteOf', { name: image.filename }), onclick: () => this.remove(image) }, t('delete'));
    remove.dataset.index = index;
    const text = h('div', { class: 'words' }, h('strong', {}, image.filename), h('span', {}, reason(image)), h('small', {}, facts));
    const box = h('div', { class: 'cell', role: 'listitem', 'aria-posinset': index + 1, 'aria-setsize': -1 }, text, remove);
    box.style.width = `${width}px`;
    return box;
  }

  choose(index) {
    this.active = index;
    this.markActive();
    this.open(this.images[index]);
  }

  rowOf(index) {
    return this.rows.find((row) => row.tiles && row.tiles[0].index <= index && index <= row.tiles.at(-1).index);
  }

  markActive() {
    this.element.querySelectorAll('.tile').forEach((tile) => (tile.tabIndex = Number(tile.dataset.index) === this.active ? 0 : -1));
  }

  key(event) {
    const last = this.images.length - 1;
    const moves = {
      ArrowRight: () => this.active + 1,
      ArrowLeft: () => this.active - 1,
      ArrowDown: () => neighbour(this.rows, this.active, 1),
      ArrowUp: () => neighbour(this.rows, this.active, -1),
      Home: () => 0,
      End: () => last,
    };
    if (event.key === 'Delete' && event.target.classList.contains('tile')) this.remove(this.images[this.active]);
    if (this.status !== 'READY' || !moves[event.key]) return;
    event.preventDefault();
    this.focus(Math.max(0, Math.min(last, moves[event.key]())));
  }

  /** Bring an image into view and put the focus on it. */
  focus(index) {
    const row = this.rowOf(index);
    if (!row) return $('photos').focus();
    this.active = index;
    const top = row.top + this.offset();
    if (top < 80) scrollBy(0, top - 80);
    else if (top + row.height > innerHeight - 16) scrollBy(0, top + row.height - innerHeight + 16);
    this.drawNow();
    this.markActive();
    this.element.querySelector(`[data-index="${index}"]`)?.focus({ preventScroll: true });
  }
}

/** The thumbnail for a width, the smallest that is sharp there. */
export function thumbnailFor(image, width) {
  const sizes = Object.values(image.thumbnails).sort((one, other) => one.width - other.width);
  return sizes.find((size) => size.width >= width * Math.min(devicePixelRatio, 2) * 0.8) ?? sizes.at(-1);
}

/** Fill an element with an image: its colour at once, its blurred shape, then the thumbnail. */
export function picture(element, image, width, refresh) {
  if (/^#[0-9a-f]{6}$/i.test(image.dominant_color ?? '')) element.style.backgroundColor = image.dominant_color;
  const thumbnail = thumbnailFor(image, width);
  if (!thumbnail) return;
  const canvas = h('canvas', { 'aria-hidden': 'true' });
  if (paint(canvas, image.blurhash)) element.append(canvas);
  const shown = h('img', { alt: '', decoding: 'async' });
  shown.addEventListener('load', () => shown.classList.add('loaded'));
  // Presigned addresses end after some minutes: ask for another, once.
  shown.addEventListener('error', async () => {
    const fresh = await refresh(image);
    if (fresh) shown.src = thumbnailFor(fresh, width)?.url ?? '';
  }, { once: true });
  shown.src = thumbnail.url;
  element.append(shown);
}
