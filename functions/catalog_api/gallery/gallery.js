// The views of the gallery (photos, rejected files, deleted photos), and the events between grid, tools and large view.

import { call } from './api.js';
import { goTo, leavePhoto, readAddress, replaceAddress } from './address.js';
import { deleteImages, restoreImages } from './deletion.js';
import { confirmDeletion, shareImage } from './dialogs.js';
import { $, announce } from './dom.js';
import { Find } from './find.js';
import { shownLimit } from './files.js';
import { drawFooter } from './footer.js';
import { Grid } from './grid.js';
import { Listing } from './listing.js';
import { Live } from './live.js';
import { showNotice } from './notice.js';
import { Selection } from './selection.js';
import { SelectionBar } from './selectionbar.js';
import { formatBytes, formatCount, setText, t } from './texts.js';
import { Viewer } from './viewer.js';

// The large view loads the next page when this many photos are left.
const PRELOAD_COUNT = 10;
const VIEW_BUTTONS = { '': 'show-ready', rejected: 'show-rejected', deleted: 'show-deleted' };
const VIEW_TITLES = { '': 'photos', rejected: 'rejected', deleted: 'recentlyDeleted' };

export class Gallery {
  /** `handleRefusal(error)` shows the sign-in and returns true if the caller must sign in again. */
  constructor(config, handleRefusal) {
    Object.assign(this, { config, handleRefusal, listing: null });
    const actions = {
      remove: (image) => this.remove([image]),
      share: (image) => shareImage(image, handleRefusal),
      refresh: (image) => this.listing.refresh(image).catch(handleRefusal),
    };
    this.selection = new Selection(() => this.drawSelection());
    this.grid = new Grid($('grid'), this.selection, {
      ...actions,
      open: (image) => this.viewer.open(image),
      restore: (image) => this.restore([image]),
      loadMore: () => this.loadMore(),
      onMonth: (month) => this.find?.follow(month),
    });
    this.viewer = new Viewer({
      ...actions,
      handleRefusal,
      neighbourOf: (image, step) => {
        const index = this.listing.indexOf(image);
        return index < 0 ? undefined : this.listing.images[index + step];
      },
      onOpen: (isFirst) => this.handleOpen(isFirst),
      onClose: (image) => this.handleClose(image),
    });
    this.find = new Find({ onChange: () => this.list(), onJump: (month) => this.jump(month) });
    this.bar = new SelectionBar(this.selection, {
      imagesOf: () => this.listing.images, remove: (images) => this.remove(images), handleRefusal,
    });
    this.live = new Live({
      statusShown: () => this.listing.status,
      addImages: (images) => this.addImages(images),
      removeImages: (deleted) => this.removeDeleted(deleted),
      onError: handleRefusal,
    });
    Object.entries(VIEW_BUTTONS).forEach(([view, id]) => $(id).addEventListener('click', () => {
      goTo({ view });
      this.show(view);
    }));
    const { selection } = this;
    $('select').addEventListener('click', () => (selection.isActive ? selection.clear() : selection.start()));
    addEventListener('popstate', () => this.isShown && this.followAddress());
  }

  get isShown() {
    return !$('gallery').hidden;
  }

  /** Shows the view and the photo of the address, for example after the sign-in. */
  start() {
    this.listing = null;
    this.followAddress();
    this.live.start();
  }

  /** Hides the gallery while somebody signs in. */
  stop() {
    if (this.viewer.isOpen) this.viewer.close();
    if ($('share').open) $('share').close();
    this.live.stop();
  }

  followAddress() {
    const { view, photo } = readAddress();
    if (this.listing?.view !== view) this.show(view);
    if (!photo && this.viewer.isOpen) this.viewer.close();
    if (photo && !(this.viewer.isOpen && this.viewer.image.image_id === photo)) this.openById(photo);
  }

  async openById(id) {
    const known = this.listing.images.find((image) => image.image_id === id);
    try {
      const image = known ?? (await call('GET', `images/${id}`));
      if (readAddress().photo === id) this.viewer.open(image);
    } catch (error) {
      if (this.handleRefusal(error)) return;
      replaceAddress({ view: this.listing.view });
      setText($('problem'), error.status === 404 ? 'notFound' : 'unreachable');
    }
  }

  handleOpen(isFirst) {
    const place = { view: this.listing.view, photo: this.viewer.image.image_id };
    if (isFirst) goTo(place);
    else replaceAddress(place);
    if (this.isViewerNearEnd()) this.retryLoading();
  }

  handleClose(image) {
    // Move the message back. It was inside the large view, because the rest of the page could not be used.
    document.body.append($('notice'));
    if (!this.isShown) return;
    const { view, photo } = readAddress();
    // Without a photo in the address, Back has closed the large view.
    if (photo) leavePhoto({ view });
    this.grid.handleResize();
    const index = this.listing.indexOf(image);
    // Browsers report the closing of a dialog in a later task. Until then, the user may have moved the focus.
    const isFocusFree = ['body', '#grid *', '#viewer *'].some((place) => document.activeElement.matches(place));
    if (index >= 0 && isFocusFree) this.grid.focus(index);
  }

  isViewerNearEnd() {
    const { images } = this.listing;
    const index = this.listing.indexOf(this.viewer.image);
    return this.viewer.isOpen && index >= 0 && images.length - index <= PRELOAD_COUNT;
  }

  show(view) {
    Object.entries(VIEW_BUTTONS).forEach(([name, id]) => $(id).setAttribute('aria-pressed', name === view));
    setText($('gallery-title'), VIEW_TITLES[view]);
    this.find.show(view);
    this.list(view);
  }

  /** Lists the images of a view that match the filters, from the newest or from a month on. */
  list(view = this.listing.view, until = '') {
    this.listing = new Listing(view, { ...this.find.query, until });
    this.selection.clear();
    setText($('problem'));
    scrollTo(0, 0);
    this.find.draw();
    $('newer').hidden = !until;
    this.grid.show(this.listing);
    this.drawFooter();
    this.loadMore();
  }

  /** Scrolls to a month, or lists from it on if it is not loaded. */
  jump(month) {
    const isInMonth = ({ taken_at: takenAt }) => !month || takenAt.startsWith(month);
    const index = this.listing.query.until && !month ? -1 : this.listing.images.findIndex(isInMonth);
    if (index >= 0) this.grid.scrollTo(index);
    else this.list(this.listing.view, month);
  }

  /** Loads the next page of the current view, unless it is loading, has failed, or there is none. */
  async loadMore() {
    const { listing } = this;
    if (!listing || listing.loading || listing.failed || listing.ended) return;
    listing.loading = true;
    this.drawFooter();
    try {
      await listing.loadNextPage();
      this.grid.order = this.listing.order;
      // The other rows stay as they are, because the images are added at the end.
      if (listing === this.listing) this.grid.layOut(this.grid.rows.length - 1);
    } catch (error) {
      if (this.handleRefusal(error)) return;
      listing.failed = true;
    } finally {
      listing.loading = false;
    }
    if (listing !== this.listing) return;
    this.drawFooter();
    this.viewer.updateButtons();
    // A page may not fill the window. It may even be empty, because the API leaves out images that were just deleted.
    this.grid.scheduleDraw();
    if (this.isViewerNearEnd()) this.loadMore();
  }

  retryLoading() {
    this.listing.failed = false;
    this.loadMore();
  }

  /** Adds new images to the current view. Returns how many of them are new. */
  addImages(images) {
    const { listing } = this;
    const added = images.filter((image) => image.status === listing?.status && !listing.has(image));
    if (!added.length) return 0;
    let count = 0;
    this.grid.layOutInPlace(() => added.forEach((image) => (count += listing.insert(image) ? 1 : 0)));
    this.viewer.updateButtons();
    this.drawFooter();
    this.find.load();
    return count;
  }

  /** Removes the images that others have deleted from the view. Returns how many of them were in it. */
  removeDeleted(deleted) {
    const { listing, viewer } = this;
    const times = new Map(deleted.map(({ image_id: id, deleted_at: deletedAt }) => [id, deletedAt]));
    // A photo that was restored after its deletion has a later upload.
    const removed = listing.images.filter(({ image_id: id, uploaded_at: uploadedAt }) => times.get(id) > uploadedAt);
    if (!removed.length) return 0;
    const shown = viewer.isOpen && removed.find((image) => image.image_id === viewer.image.image_id);
    const next = shown && this.neighbourOutside(shown, removed);
    this.selection.drop(removed);
    this.grid.layOutInPlace(() => listing.remove(removed));
    this.drawFooter();
    this.find.load();
    if (next) viewer.open(next);
    else if (shown) viewer.close();
    else viewer.updateButtons();
    if (shown) showNotice(t('deleted', { name: shown.filename }));
    return removed.length;
  }

  /** Returns the image of the view next to an image that is not one of `others`. */
  neighbourOutside(image, others) {
    const { images } = this.listing;
    const index = images.indexOf(image);
    const isOutside = (other) => !others.includes(other);
    return images.slice(index + 1).find(isOutside) ?? images.slice(0, index).findLast(isOutside);
  }

  /** Deletes images after a confirmation. */
  async remove(images) {
    const showError = (name) => (this.viewer.isOpen ? this.viewer.showError(name) : setText($('problem'), name));
    if (!(await confirmDeletion(images))) return;
    showError();
    const deleted = [];
    try {
      await deleteImages(images, (chunk) => {
        deleted.push(...chunk);
        this.removeFromView(chunk);
      });
    } catch (error) {
      if (!this.handleRefusal(error)) showError('deleteFailed');
    }
    if (!deleted.length) return;
    this.selection.clear();
    const values = { name: deleted[0].filename, count: formatCount(deleted.length) };
    const text = deleted.length > 1 ? t('deletedMany', values) : t('deleted', values);
    showNotice(text, [[t('undo'), () => this.restore(deleted)]]);
    announce(text);
  }

  removeFromView(images) {
    const { listing, viewer } = this;
    const index = listing.indexOf(images[0]);
    const next = listing.images[index + 1] ?? listing.images[index - 1];
    listing.remove(images);
    this.grid.layOut();
    this.drawFooter();
    this.find.load();
    if (viewer.isOpen && images.includes(viewer.image) && next) viewer.open(next);
    else if (viewer.isOpen) viewer.close();
    else if (listing.images.length) this.grid.focus(Math.max(0, Math.min(index, listing.images.length - 1)));
    if (!listing.images.length) $('photos').focus();
  }

  /** Restores deleted images. */
  async restore(images) {
    showNotice(t('restoring'));
    const { listing } = this;
    try {
      const restored = await restoreImages(images.map(({ image_id: id }) => id));
      const values = { name: images[0].filename, count: formatCount(restored.length), all: formatCount(images.length) };
      const name = restored.length < images.length ? 'restoredSome' : images.length > 1 ? 'restoredMany' : 'restored';
      showNotice(t(name, values));
      if (listing.status === 'DELETED') this.removeFromView(images);
      this.addImages(restored);
    } catch (error) {
      if (!this.handleRefusal(error)) showNotice(t('restoreFailed'), [[t('retry'), () => this.restore(images)]]);
    }
  }

  drawSelection() {
    this.grid.drawSelection();
    this.bar?.draw();
    setText($('select'), this.selection.isActive ? 'endSelection' : 'select');
  }

  drawFooter() {
    drawFooter(this.listing, this.acceptedFiles, () => this.retryLoading());
  }

  /** Returns the text about which files can be uploaded. */
  get acceptedFiles() {
    return t('accepts', { limit: formatBytes(shownLimit(this.config)) });
  }

  /** Draws everything again after a change of language. */
  redraw() {
    if (!this.isShown) return;
    this.find.draw();
    this.grid.layOut();
    this.bar.draw();
    this.drawFooter();
  }
}
