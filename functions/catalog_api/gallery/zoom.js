// Zooms and moves the photo in the large view: by wheel, two fingers, double click and keys. A swipe turns the page.

const STEP = 1.5;
const WHEEL_STEP = 1.0015;
// A photo is enlarged to at most twice its size, so that single pixels are visible.
const MAX_PIXEL_SIZE = 2;
const MIN_LARGEST = 4;
const SWIPE_PX = 60;
const MOVE_PX = 60;

export class Zoom {
  /** `stage` shows the photo. `onSwipe(step)` turns to a neighbour. `onZoom()` is called after each change. */
  constructor(stage, { onSwipe, onZoom }) {
    Object.assign(this, { stage, onSwipe, onZoom, frame: null, scale: 1, x: 0, y: 0, naturalWidth: 0 });
    this.pointers = new Map();
    stage.addEventListener('wheel', (event) => this.handleWheel(event), { passive: false });
    stage.addEventListener('dblclick', (event) => {
      if (!event.target.closest('button')) this.zoomTo(this.scale > 1 ? 1 : 2.5, event.clientX, event.clientY);
    });
    stage.addEventListener('pointerdown', (event) => this.handleDown(event));
    stage.addEventListener('pointermove', (event) => this.handleMove(event));
    ['pointerup', 'pointercancel'].forEach((type) => stage.addEventListener(type, (event) => this.handleUp(event)));
  }

  /** Starts with another photo, given by its frame and its width in pixels. */
  reset(frame, naturalWidth) {
    Object.assign(this, { frame, naturalWidth, scale: 1, x: 0, y: 0 });
    this.apply();
  }

  get isZoomed() {
    return this.scale > 1;
  }

  get largest() {
    const shownPixels = this.frame.clientWidth * devicePixelRatio;
    return Math.max(MIN_LARGEST, (MAX_PIXEL_SIZE * this.naturalWidth) / (shownPixels || 1));
  }

  /** Zooms by a number of steps at the centre of the stage. */
  step(steps) {
    this.zoomTo(this.scale * STEP ** steps);
  }

  /** Zooms so that the point under a pointer stays where it is. Without a pointer this is the centre. */
  zoomTo(scale, clientX, clientY) {
    const box = this.stage.getBoundingClientRect();
    const [centreX, centreY] = [box.left + box.width / 2, box.top + box.height / 2];
    const bounded = Math.min(this.largest, Math.max(1, scale));
    const [pointX, pointY] = [(clientX ?? centreX) - centreX, (clientY ?? centreY) - centreY];
    const growth = bounded / this.scale;
    this.x = pointX - (pointX - this.x) * growth;
    this.y = pointY - (pointY - this.y) * growth;
    this.scale = bounded;
    this.apply();
  }

  /** Moves the photo by a distance. */
  pan(x, y) {
    this.x += x;
    this.y += y;
    this.apply();
  }

  apply() {
    // The photo's edge stays at or beyond the edge of the stage where the photo is larger, and centred where it is not.
    const bound = (offset, shown, room) => Math.max(-1, Math.min(1, offset / (room || 1))) * (shown > 0 ? room : 0);
    const roomX = Math.max(0, (this.frame.clientWidth * this.scale - this.stage.clientWidth) / 2);
    const roomY = Math.max(0, (this.frame.clientHeight * this.scale - this.stage.clientHeight) / 2);
    this.x = bound(this.x, roomX, roomX);
    this.y = bound(this.y, roomY, roomY);
    this.frame.style.transform = this.isZoomed ? `translate(${this.x}px, ${this.y}px) scale(${this.scale})` : '';
    this.stage.classList.toggle('zoomed', this.isZoomed);
    this.onZoom();
  }

  /** Zooms with + and -, resets with 0, and moves a zoomed photo with the arrow keys. Returns whether it did so. */
  handleKey({ key }) {
    const moves = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    if (key === '+' || key === '=') this.step(1);
    else if (key === '-') this.step(-1);
    else if (key === '0') this.zoomTo(1);
    else if (this.isZoomed && moves[key]) this.pan(moves[key][0] * MOVE_PX, moves[key][1] * MOVE_PX);
    else return false;
    return true;
  }

  handleWheel(event) {
    // With Ctrl, and for two fingers on a touchpad, the browser would zoom the whole page.
    event.preventDefault();
    // For a wheel that counts lines, one line is about 16 pixels.
    const pixels = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? event.deltaY * 16 : event.deltaY;
    // A touchpad sends a two-finger zoom as small steps of a wheel with Ctrl.
    const strength = event.ctrlKey && Math.abs(pixels) < 50 ? 6 : 1;
    this.zoomTo(this.scale * WHEEL_STEP ** (-pixels * strength), event.clientX, event.clientY);
  }

  handleDown(event) {
    if (event.target.closest('button') || (event.pointerType === 'mouse' && event.button !== 0)) return;
    this.stage.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (this.pointers.size === 1) this.start = { x: event.clientX, y: event.clientY, isSwipe: !this.isZoomed };
    else this.start.isSwipe = false;
  }

  handleMove(event) {
    const last = this.pointers.get(event.pointerId);
    if (!last) return;
    const others = [...this.pointers].filter(([id]) => id !== event.pointerId).map(([, point]) => point);
    const now = { x: event.clientX, y: event.clientY };
    this.pointers.set(event.pointerId, now);
    if (others.length) {
      const distance = (point) => Math.hypot(point.x - others[0].x, point.y - others[0].y);
      const centre = { x: (now.x + others[0].x) / 2, y: (now.y + others[0].y) / 2 };
      this.zoomTo((this.scale * distance(now)) / (distance(last) || 1), centre.x, centre.y);
    } else if (this.isZoomed) this.pan(now.x - last.x, now.y - last.y);
  }

  handleUp(event) {
    if (!this.pointers.delete(event.pointerId) || this.pointers.size || event.type === 'pointercancel') return;
    const [x, y] = [event.clientX - this.start.x, event.clientY - this.start.y];
    const isSideways = Math.abs(x) > SWIPE_PX && Math.abs(x) > 2 * Math.abs(y);
    if (this.start.isSwipe && event.pointerType !== 'mouse' && isSideways) this.onSwipe(x < 0 ? 1 : -1);
  }
}
