// The views of the gallery (photos and rejected files), and the events between grid and large view.

import { call } from './api.js';
import { goTo, leavePhoto, readAddress, replaceAddress } from './address.js';
import { confirmDeletion } from './dialogs.js';
import { $, announce, h } from './dom.js';
import { shownLimit } from './files.js';
import { Grid } from './grid.js';
import { Listing } from './listing.js';
import { formatBytes, formatCount, setText, t } from './texts.js';
import { Viewer } from './viewer.js';

// The large view loads the next page when this many photos are left.
const PRELOAD_COUNT = 10;
const VIEW_BUTTONS = { '': 'show-ready', rejected: 'show-rejected' };
const VIEW_TITLES = { '': 'photos', rejected: 'rejected' };

export class Gallery {
  /** `handleRefusal(error)` shows the sign-in and returns true if the caller must sign in again. */
  constructor(config, handleRefusal) {
    Object.assign(this, { config, handleRefusal, listing: null });
    const actions = {
      remove: (image) => this.remove(image),
      refresh: (image) => this.listing.refresh(image).catch(handleRefusal),
    };
    this.grid = new Grid($('grid'), {
      ...actions,
      open: (image) => this.viewer.open(image),
      loadMore: () => this.loadMore(),
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
    Object.entries(VIEW_BUTTONS).forEach(([view, id]) => $(id).addEventListener('click', () => {
      goTo({ view });
      this.show(view);
    }));
    addEventListener('popstate', () => this.isShown && this.followAddress());
  }

  get isShown() {
    return !$('gallery').hidden;
  }

  /** Shows the place of the address, as after signing in. */
  start() {
    this.listing = null;
    this.followAddress();
  }

  /** Hides the gallery while somebody signs in. */
  stop() {
    if (this.viewer.isOpen) this.viewer.close();
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
    if (!this.isShown) return;
    const { view, photo } = readAddress();
    // Without a photo in the address, Back has closed the large view.
    if (photo) leavePhoto({ view });
    this.grid.handleResize();
    const index = this.listing.indexOf(image);
    if (index >= 0) this.grid.focus(index);
  }

  isViewerNearEnd() {
    const { images } = this.listing;
    const index = this.listing.indexOf(this.viewer.image);
    return this.viewer.isOpen && index >= 0 && images.length - index <= PRELOAD_COUNT;
  }

  show(view) {
    Object.entries(VIEW_BUTTONS).forEach(([name, id]) => $(id).setAttribute('aria-pressed', name === view));
    setText($('gallery-title'), VIEW_TITLES[view]);
    this.listing = new Listing(view);
    setText($('problem'));
    scrollTo(0, 0);
    this.grid.show(this.listing);
    this.drawFooter();
    this.loadMore();
  }

  /** Loads the next page of the current view, unless it is loading, has failed, or there is none. */
  async loadMore() {
    const { listing } = this;
    if (!listing || listing.loading || listing.failed || listing.ended) return;
    listing.loading = true;
    this.drawFooter();
    try {
      await listing.loadNextPage();
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

  /** Adds an image that was uploaded in this tab, if the current view shows its kind. */
  addImage(image) {
    const { listing } = this;
    if (image.status !== listing?.status || listing.has(image)) return;
    this.grid.layOutInPlace(() => listing.insert(image));
    this.viewer.updateButtons();
    this.drawFooter();
  }

  /** Deletes an image after a confirmation. */
  async remove(image) {
    const showError = (name) => (this.viewer.isOpen ? this.viewer.showError(name) : setText($('problem'), name));
    if (!(await confirmDeletion(image))) return;
    showError();
    try {
      await call('DELETE', `images/${image.image_id}`);
    } catch (error) {
      if (!this.handleRefusal(error)) showError('deleteFailed');
      return;
    }
    this.removeFromView(image);
    announce(t('deleted', { name: image.filename }));
  }

  /** Removes an image from the view. The large view goes on to the next photo. */
  removeFromView(image) {
    const { listing, viewer } = this;
    const index = listing.indexOf(image);
    const next = listing.images[index + 1] ?? listing.images[index - 1];
    listing.remove([image]);
    this.grid.layOut();
    this.drawFooter();
    if (viewer.isOpen && viewer.image === image && next) viewer.open(next);
    else if (viewer.isOpen) viewer.close();
    else if (listing.images.length) this.grid.focus(Math.max(0, Math.min(index, listing.images.length - 1)));
    if (!listing.images.length) $('photos').focus();
  }

  /** Draws the line below the grid, and what stands in place of an empty grid. */
  drawFooter() {
    const { listing } = this;
    const isEmpty = !listing.images.length && listing.ended;
    $('empty').hidden = !isEmpty;
    if (isEmpty) $('empty').replaceChildren(...this.emptyMessage());
    $('accepts').hidden = isEmpty || listing.status !== 'READY';
    $('more').replaceChildren(...this.footer(isEmpty));
  }

  emptyMessage() {
    const { listing } = this;
    if (listing.status !== 'READY') return [h('p', { class: 'large' }, t('noRejected'))];
    const button = h('button', { type: 'button', class: 'primary', onclick: () => $('files').click() }, t('upload'));
    const words = [h('p', {}, t('noPhotosHelp')), h('p', {}, this.acceptedFiles)];
    return [h('p', { class: 'large' }, t('noPhotos')), ...words, button];
  }

  footer(isEmpty) {
    const { listing } = this;
    if (listing.failed) {
      const button = h('button', { type: 'button', onclick: () => this.retryLoading() }, t('retry'));
      return [t('loadingFailed'), ' ', button];
    }
    if (listing.loading) return [t('loading')];
    if (!listing.ended || isEmpty) return [];
    return [t('total', { count: formatCount(listing.images.length) })];
  }

  /** Says which files can be uploaded. */
  get acceptedFiles() {
    return t('accepts', { limit: formatBytes(shownLimit(this.config)) });
  }

  /** Draws everything again after a change of language. */
  redraw() {
    if (!this.isShown) return;
    this.grid.layOut();
    this.drawFooter();
  }
}
