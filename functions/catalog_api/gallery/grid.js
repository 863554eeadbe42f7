// An endless grid. The document holds only the rows near the window, however many images are loaded.

import { newListCell, newPhotoCell } from './cells.js';
import { $, h } from './dom.js';
import { listRows, photoRows, verticalNeighbour, visibleRows } from './layout.js';
import { formatDay, t } from './texts.js';

const OVERSCAN_PX = 700;
// The space above and below a focused photo.
const MARGIN_PX = 16;

export class Grid {
  /**
   * `open(image)`, `remove(image)` and `restore(image)` are what the buttons do. `loadMore()` is called near the end of
   * the list. `refresh(image)` renews an image's presigned URLs. `onMonth(month)` is called with the month at the top.
   */
  constructor(element, selection, actions) {
    Object.assign(this, { element, selection, ...actions });
    this.images = [];
    this.rows = [];
    // Maps the index of each row in the document to its element.
    this.rowElements = new Map();
    this.reusableCells = null;
    this.activeIndex = 0;
    this.activeImage = null;
    this.status = 'READY';
    this.order = 'taken';
    this.width = 0;
    this.isDrawScheduled = false;
    element.addEventListener('keydown', (event) => this.handleKey(event));
    element.addEventListener('click', (event) => this.handleClick(event));
    // Remember the focus, which moves before the click, because a range begins at the photo that had the focus.
    element.addEventListener('pointerdown', () => (this.focusedBefore = this.hasFocus() ? this.activeIndex : null));
    element.addEventListener('focusin', ({ target }) => {
      if (target.dataset.index) this.activate(Number(target.dataset.index));
    });
    addEventListener('scroll', () => this.scheduleDraw(), { passive: true });
    new ResizeObserver(() => this.handleResize()).observe(element);
  }

  /** Shows other images. */
  show({ images, status, order }) {
    Object.assign(this, { images, status, order, activeIndex: 0, activeImage: null });
    this.layOut();
  }

  /** Lays out the rows from a given row after a change of the images, the width or the language. Keeps the focus. */
  layOut(fromRow = 0) {
    this.width = this.element.clientWidth;
    if (!this.width) return;
    const hadFocus = this.hasFocus();
    this.removeRows(fromRow);
    const isPhotos = this.status === 'READY';
    const day = (image) => dayOf(image, this.order);
    this.rows = isPhotos ? photoRows(this.images, this.width, day) : listRows(this.images, this.width);
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

  /** Removes rows from the document. Cells of images that stay are reused, so that thumbnails do not reload. */
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
    return t('openPhoto', { name: image.filename, day: formatDay(dayOf(image, this.order)) });
  }

  handleResize() {
    // An open dialog hides the scroll bar, so the grid is wider behind the dialog.
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
    const topRow = this.rows.slice(...visibleRows(this.rows, top, top + innerHeight)).find((row) => row.tiles);
    if (topRow && this.order === 'taken') this.onMonth(dayOf(this.images[topRow.tiles[0].index], 'taken').slice(0, 7));
    const end = this.rows.at(-1);
    if (!end || end.top + end.height - top < innerHeight * 3) this.loadMore();
  }

  /** Inserts a row into the document in reading order, for screen readers and the Tab key. */
  insertRow(index) {
    const row = this.rows[index];
    const element = row.tiles ? h('div', { class: 'row', role: 'list' }) : this.heading(row);
    element.style.transform = `translateY(${row.top}px)`;
    element.style.height = `${row.height}px`;
    row.tiles?.forEach((tile) => element.append(this.status === 'READY' ? this.photoCell(tile) : this.listCell(tile)));
    const nextIndex = Math.min(...[...this.rowElements.keys()].filter((other) => other > index));
    this.element.insertBefore(element, this.rowElements.get(nextIndex) ?? null);
    this.rowElements.set(index, element);
  }

  /** Returns the heading of a day, with a button that selects the day's photos. */
  heading({ day }) {
    const text = formatDay(day);
    const select = () => this.selection.toggleAll(this.images.filter((image) => dayOf(image, this.order) === day));
    const label = t('selectDay', { day: text });
    const button = h('button', { type: 'button', 'aria-label': label, onclick: select }, t('select'));
    button.tabIndex = this.selection.isActive ? 0 : -1;
    return h('div', { class: 'heading' }, h('h3', {}, text), button);
  }

  listCell(tile) {
    const image = this.images[tile.index];
    return newListCell(image, tile, this.status === 'DELETED' ? this.restore : this.remove);
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
    this.markSelected(cell.firstChild, image);
    return cell;
  }

  /** Shows on a tile whether its image is selected. */
  markSelected(tile, image) {
    if (this.selection.isActive) tile.setAttribute('aria-pressed', this.selection.has(image));
    else tile.removeAttribute('aria-pressed');
  }

  /** Shows a change of the selection. */
  drawSelection() {
    this.element.querySelectorAll('.tile').forEach((tile) => this.markSelected(tile, this.images[tile.dataset.index]));
    // Outside a selection the grid has one tab stop.
    const tabIndex = this.selection.isActive ? 0 : -1;
    this.element.querySelectorAll('.heading button').forEach((button) => (button.tabIndex = tabIndex));
    this.element.classList.toggle('selecting', this.selection.isActive);
  }

  handleClick(event) {
    const tile = event.target.closest('.tile');
    if (!tile) return;
    const index = Number(tile.dataset.index);
    const from = this.activeIndex;
    this.activate(index);
    if (event.shiftKey) this.selection.extend(this.images, index, this.focusedBefore ?? from);
    else if (this.selection.isActive || event.ctrlKey || event.metaKey) this.selection.toggle(this.images, index);
    else this.open(this.images[index]);
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
    if (event.altKey || event.ctrlKey || event.metaKey) return;
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
    if (event.key === 'Delete' && !event.shiftKey) this.remove(this.images[this.activeIndex]);
    if (this.status !== 'READY' || !moves[event.key]) return;
    event.preventDefault();
    const from = this.activeIndex;
    const index = Math.max(0, Math.min(lastIndex, moves[event.key]()));
    if (event.shiftKey) this.selection.extend(this.images, index, from);
    this.focus(index);
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

  /** Scrolls to the row of an image. */
  scrollTo(index) {
    const row = this.rowOf(index);
    const heading = this.rows[this.rows.indexOf(row) - 1];
    if (row) scrollBy(0, (heading?.day ? heading : row).top + this.topInWindow() - $('top').offsetHeight);
  }

  focusActiveImage() {
    const row = this.rows.indexOf(this.rowOf(this.activeIndex));
    if (row >= 0 && !this.rowElements.has(row)) this.insertRow(row);
    this.element.querySelector(`[data-index="${this.activeIndex}"]`)?.focus({ preventScroll: true });
  }
}

const days = new WeakMap();

/**
 * Returns an image's day, as `2026-06-15`: by the camera's own clock, or of its upload in the browser's time zone.
 * Cached, because each new page lays out all images.
 */
function dayOf(image, order) {
  if (order === 'taken') return image.taken_at.slice(0, 10);
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
