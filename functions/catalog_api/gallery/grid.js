// An endless grid: whatever is loaded, only the rows near the window are in the document.

import { $, h, plain } from './dom.js';
import { listRows, neighbour, photoRows, visible } from './layout.js';
import { picture } from './picture.js';
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
    this.image = null;
    this.status = 'READY';
    this.width = 0;
    this.drawing = false;
    element.addEventListener('keydown', (event) => this.key(event));
    element.addEventListener('focusin', (event) => event.target.dataset.index && this.activate(Number(event.target.dataset.index)));
    addEventListener('scroll', () => this.draw(), { passive: true });
    new ResizeObserver(() => this.resized()).observe(element);
  }

  /** Show other images from now on. */
  show(images, status) {
    [this.images, this.status, this.active, this.image] = [images, status, 0, null];
    this.layOut();
  }

  /** The images, the width or the language changed: place all rows anew, or those from a number on. What has the focus keeps it. */
  layOut(from = 0) {
    this.width = this.element.clientWidth;
    if (!this.width) return;
    const focused = this.focused();
    this.forget(from);
    this.rows = this.status === 'READY' ? photoRows(this.images, this.width, dayOf) : listRows(this.images, this.width);
    const last = this.rows.at(-1);
    this.element.style.height = `${last ? last.top + last.height : 0}px`;
    this.element.classList.toggle('list', this.status !== 'READY');
    const index = this.images.indexOf(this.image);
    this.active = Math.max(0, index >= 0 ? index : Math.min(this.active, this.images.length - 1));
    this.drawNow();
    this.kept = null;
    if (focused && !this.focused()) this.focusActive();
  }

  focused() {
    return this.element.contains(document.activeElement);
  }

  /** Change the images, or their width, and let what is at the window's top stay there. */
  change(how) {
    const before = this.offset();
    const row = before < 0 && this.rows.find(({ tiles, top, height }) => tiles && top + height > -before);
    const image = row && this.images[row.tiles[0].index];
    how?.();
    this.layOut();
    const moved = image && this.rowOf(this.images.indexOf(image));
    if (moved) scrollBy(0, moved.top + this.offset() - row.top - before);
  }

  /** Take rows out of the document; what shows the same image again is used again. */
  forget(from) {
    const gone = [...this.shown].filter(([index]) => index >= from);
    const cells = gone.flatMap(([, node]) => [...node.querySelectorAll('.cell')]);
    const same = cells.filter((cell) => cell.image && cell.dataset.name === this.nameOf(cell.image));
    this.kept = new Map(same.map((cell) => [cell.image.image_id, cell]));
    for (const [index, node] of gone) {
      node.remove();
      this.shown.delete(index);
    }
  }

  nameOf(image) {
    return t('openPhoto', { name: image.filename, day: day(image.uploaded_at) });
  }

  resized() {
    if (this.element.clientWidth !== this.width) this.change();
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
    const focused = this.focused() ? this.rows.indexOf(this.rowOf(this.active)) : -1;
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
    this.activate(index);
    this.open(this.images[index]);
  }

  rowOf(index) {
    return this.rows.find((row) => row.tiles && row.tiles[0].index <= index && index <= row.tiles.at(-1).index);
  }

  /** Make an image the one that Tab comes to. */
  activate(index) {
    [this.active, this.image] = [index, this.images[index]];
    this.element.querySelectorAll('.tile').forEach((tile) => (tile.tabIndex = Number(tile.dataset.index) === this.active ? 0 : -1));
  }

  key(event) {
    if (!plain(event)) return;
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
    this.activate(index);
    const top = row.top + this.offset();
    if (top < 80) scrollBy(0, top - 80);
    else if (top + row.height > innerHeight - 16) scrollBy(0, top + row.height - innerHeight + 16);
    this.drawNow();
    this.focusActive();
  }

  focusActive() {
    const row = this.rows.indexOf(this.rowOf(this.active));
    if (row >= 0 && !this.shown.has(row)) this.place(row);
    this.element.querySelector(`[data-index="${this.active}"]`)?.focus({ preventScroll: true });
  }
}

const days = new WeakMap();

/** The day of an image where this browser is; asked for all images whenever some are added. */
function dayOf(image) {
  if (!days.has(image)) days.set(image, new Date(image.uploaded_at).toDateString());
  return days.get(image);
}
