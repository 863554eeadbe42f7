// An endless grid. The document holds only the rows near the window, however many images are loaded.

import { newListCell, newPhotoCell } from './cells.js';
import { $, h, hasNoModifier } from './dom.js';
import { listRows, photoRows, verticalNeighbour, visibleRows } from './layout.js';
import { formatDay, t } from './texts.js';

const OVERSCAN_PX = 700;
// Space above and below a focused photo.
const MARGIN_PX = 16;

export class Grid {
  /**
   * `open(image)` and `remove(image)` are what the buttons do. `loadMore()` is called near the end of the list.
   * `refresh(image)` renews an image's presigned URLs.
   */
  constructor(element, actions) {
    Object.assign(this, { element, ...actions });
    this.images = [];
    this.rows = [];
    // Maps the index of each row in the document to its element.
    this.rowElements = new Map();
    this.reusableCells = null;
    this.activeIndex = 0;
    this.activeImage = null;
    this.status = 'READY';
    this.width = 0;
    this.isDrawScheduled = false;
    element.addEventListener('keydown', (event) => this.handleKey(event));
    element.addEventListener('click', (event) => this.handleClick(event));
    element.addEventListener('focusin', ({ target }) => {
      if (target.dataset.index) this.activate(Number(target.dataset.index));
    });
    addEventListener('scroll', () => this.scheduleDraw(), { passive: true });
    new ResizeObserver(() => this.handleResize()).observe(element);
  }

  /** Shows other images. */
  show({ images, status }) {
    Object.assign(this, { images, status, activeIndex: 0, activeImage: null });
    this.layOut();
  }

  /** Lays out the rows from a row on, after the images, the width or the language changed. Keeps the focus. */
  layOut(fromRow = 0) {
    this.width = this.element.clientWidth;
    if (!this.width) return;
    const hadFocus = this.hasFocus();
    this.removeRows(fromRow);
    const isPhotos = this.status === 'READY';
    this.rows = isPhotos ? photoRows(this.images, this.width, dayOf) : listRows(this.images, this.width);
    const lastRow = this.rows.at(-1);
    this.element.style.height = `${lastRow ? lastRow.top + lastRow.height : 0}px`;
    this.element.classList.toggle('list', !isPhotos);
    const index = this.images.indexOf(this.activeImage);
    this.activeIndex = Math.max(0, index >= 0 ? index : Math.min(this.activeIndex, this.images.length - 1));
    this.draw();
    this.reusableCells = null;
    if (hadFocus && !this.hasFocus()) this.focusActiveImage();
  }

  hasFocus() {
    return this.element.contains(document.activeElement);
  }

  /** Lays out again after `change`, and scrolls so that the photo at the top of the window stays in place. */
  layOutInPlace(change) {
    const oldTop = this.topInWindow();
    const isBelowTop = ({ tiles, top, height }) => tiles && top + height > -oldTop;
    const oldRow = oldTop < 0 && this.rows.find(isBelowTop);
    const image = oldRow && this.images[oldRow.tiles[0].index];
    change?.();
    this.layOut();
    const newRow = image && this.rowOf(this.images.indexOf(image));
    if (newRow) scrollBy(0, newRow.top + this.topInWindow() - oldRow.top - oldTop);
  }

  /** Removes rows from the document. Cells whose image stays are used again, so that thumbnails do not reload. */
  removeRows(fromRow) {
    const removed = [...this.rowElements].filter(([index]) => index >= fromRow);
    const cells = removed.flatMap(([, element]) => [...element.querySelectorAll('.cell')]);
    const reusable = cells.filter((cell) => cell.image && cell.dataset.name === this.nameOf(cell.image));
    this.reusableCells = new Map(reusable.map((cell) => [cell.image.image_id, cell]));
    for (const [index, element] of removed) {
      element.remove();
      this.rowElements.delete(index);
    }
  }

  nameOf(image) {
    return t('openPhoto', { name: image.filename, day: formatDay(dayOf(image)) });
  }

  handleResize() {
    // An open dialog hides the scroll bar, so that the grid is wider behind it.
    if (!document.querySelector('dialog[open]') && this.element.clientWidth !== this.width) this.layOutInPlace();
  }

  /** Returns the grid's top edge, relative to the window. */
  topInWindow() {
    return this.element.getBoundingClientRect().top;
  }

  scheduleDraw() {
    if (this.isDrawScheduled) return;
    this.isDrawScheduled = true;
    requestAnimationFrame(() => this.draw());
  }

  /** Puts the rows near the window into the document and removes the others, except the row with the focus. */
  draw() {
    this.isDrawScheduled = false;
    const top = -this.topInWindow();
    const [first, last] = visibleRows(this.rows, top - OVERSCAN_PX, top + innerHeight + OVERSCAN_PX);
    const focusedRow = this.hasFocus() ? this.rows.indexOf(this.rowOf(this.activeIndex)) : -1;
    for (const [index, element] of this.rowElements) {
      if ((index < first || index > last) && index !== focusedRow) {
        element.remove();
        this.rowElements.delete(index);
      }
    }
    for (let index = first; index <= last; index++) if (!this.rowElements.has(index)) this.insertRow(index);
    const end = this.rows.at(-1);
    if (!end || end.top + end.height - top < innerHeight * 3) this.loadMore();
  }

  /** Inserts a row into the document in reading order, for screen readers and the Tab key. */
  insertRow(index) {
    const row = this.rows[index];
    const element = row.tiles ? h('div', { class: 'row', role: 'list' }) : h('h3', {}, formatDay(row.day));
    element.style.transform = `translateY(${row.top}px)`;
    element.style.height = `${row.height}px`;
    const lineOf = (tile) => newListCell(this.images[tile.index], tile, this.remove);
    const cellOf = (tile) => (this.status === 'READY' ? this.photoCell(tile) : lineOf(tile));
    row.tiles?.forEach((tile) => element.append(cellOf(tile)));
    const nextIndex = Math.min(...[...this.rowElements.keys()].filter((other) => other > index));
    this.element.insertBefore(element, this.rowElements.get(nextIndex) ?? null);
    this.rowElements.set(index, element);
  }

  photoCell({ index, left, width }) {
    const image = this.images[index];
    const reusable = this.reusableCells?.get(image.image_id);
    const cell = reusable ?? newPhotoCell(image, this.nameOf(image), width, this.refresh);
    cell.setAttribute('aria-posinset', index + 1);
    cell.style.left = `${left}px`;
    cell.style.width = `${width}px`;
    cell.firstChild.dataset.index = index;
    cell.firstChild.tabIndex = index === this.activeIndex ? 0 : -1;
    return cell;
  }

  handleClick(event) {
    const tile = event.target.closest('.tile');
    if (!tile) return;
    const index = Number(tile.dataset.index);
    this.activate(index);
    this.open(this.images[index]);
  }

  rowOf(index) {
    return this.rows.find((row) => row.tiles && row.tiles[0].index <= index && index <= row.tiles.at(-1).index);
  }

  /** Makes an image the grid's only tab stop (roving tabindex, ARIA Authoring Practices). */
  activate(index) {
    [this.activeIndex, this.activeImage] = [index, this.images[index]];
    this.element.querySelectorAll('.tile').forEach((tile) => {
      tile.tabIndex = Number(tile.dataset.index) === index ? 0 : -1;
    });
  }

  handleKey(event) {
    if (!hasNoModifier(event)) return;
    const lastIndex = this.images.length - 1;
    const moves = {
      ArrowRight: () => this.activeIndex + 1,
      ArrowLeft: () => this.activeIndex - 1,
      ArrowDown: () => verticalNeighbour(this.rows, this.activeIndex, 1),
      ArrowUp: () => verticalNeighbour(this.rows, this.activeIndex, -1),
      Home: () => 0,
      End: () => lastIndex,
    };
    if (!event.target.classList.contains('tile')) return;
    if (event.key === 'Delete') this.remove(this.images[this.activeIndex]);
    if (this.status !== 'READY' || !moves[event.key]) return;
    event.preventDefault();
    this.focus(Math.max(0, Math.min(lastIndex, moves[event.key]())));
  }

  /** Scrolls an image into view and focuses it. */
  focus(index) {
    const row = this.rowOf(index);
    if (!row) return $('photos').focus();
    this.activate(index);
    const top = row.top + this.topInWindow();
    const overflow = top + row.height - (innerHeight - MARGIN_PX);
    // The header and the tray stay at the top.
    const covered = $('top').getBoundingClientRect().bottom + MARGIN_PX;
    if (top < covered) scrollBy(0, top - covered);
    else if (overflow > 0) scrollBy(0, overflow);
    this.draw();
    this.focusActiveImage();
  }

  focusActiveImage() {
    const row = this.rows.indexOf(this.rowOf(this.activeIndex));
    if (row >= 0 && !this.rowElements.has(row)) this.insertRow(row);
    this.element.querySelector(`[data-index="${this.activeIndex}"]`)?.focus({ preventScroll: true });
  }
}

const days = new WeakMap();

/**
 * Returns the day of an image's upload in the browser's time zone, as `2026-06-15`. Cached, because each new page lays out all images.
 */
function dayOf(image) {
  if (!days.has(image)) {
    const { year, month, day } = localDate(new Date(image.uploaded_at));
    days.set(image, `${year}-${month}-${day}`);
  }
  return days.get(image);
}

function localDate(time) {
  const pad = (value) => String(value).padStart(2, '0');
  return { year: time.getFullYear(), month: pad(time.getMonth() + 1), day: pad(time.getDate()) };
}
