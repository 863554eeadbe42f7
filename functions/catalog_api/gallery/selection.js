// Which photos are selected. A range extends from the photo that was selected last.

export class Selection {
  /** `onChange()` is called after each change. */
  constructor(onChange) {
    Object.assign(this, { onChange, ids: new Set(), isActive: false, anchor: -1 });
  }

  has(image) {
    return this.ids.has(image.image_id);
  }

  get size() {
    return this.ids.size;
  }

  start() {
    this.isActive = true;
    this.onChange();
  }

  /** Ends the selection. */
  clear() {
    this.ids.clear();
    [this.isActive, this.anchor] = [false, -1];
    this.onChange();
  }

  toggle(images, index) {
    const { image_id: id } = images[index];
    if (!this.ids.delete(id)) this.ids.add(id);
    [this.isActive, this.anchor] = [true, index];
    this.onChange();
  }

  /** Selects the images between the anchor, or another index without an anchor, and an index. */
  extend(images, index, from = index) {
    if (this.anchor < 0) this.anchor = from;
    const [first, last] = [Math.min(this.anchor, index), Math.max(this.anchor, index)];
    images.slice(first, last + 1).forEach(({ image_id: id }) => this.ids.add(id));
    this.isActive = true;
    this.onChange();
  }

  /** Selects images, or none of them if all are selected. */
  toggleAll(images) {
    const isAll = images.every((image) => this.has(image));
    images.forEach(({ image_id: id }) => (isAll ? this.ids.delete(id) : this.ids.add(id)));
    this.isActive = true;
    this.onChange();
  }

  /** Removes images that no longer exist from the selection. */
  drop(images) {
    images.forEach(({ image_id: id }) => this.ids.delete(id));
    this.onChange();
  }

  /** Returns those of `images` that are selected. */
  of(images) {
    return images.filter((image) => this.has(image));
  }
}
