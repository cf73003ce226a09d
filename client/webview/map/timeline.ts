// Time: all states of the scenario on a line, with marks for faults and failures, for violations, for the pinned state, and the step that led to the
// state shown. Keyboard, click, drag and play.

import { type ToolbarButton, toolbarButton } from './controls.ts';
import { element, icon, refill } from './dom.ts';
import { icons } from './icons.ts';
import type { MapModel } from './model.ts';
import { css, mixed } from './palette.ts';
import type { Theme } from './theme.ts';

const height = 30;
const edge = 9;

export class Timeline {
  readonly element: HTMLElement;
  /** Has the keyboard: a slider over the states. */
  readonly slider: HTMLElement;
  readonly #canvas = element('canvas', { class: 'timeline-canvas', 'aria-hidden': 'true' });
  readonly #step = element('div', { class: 'step' });
  readonly #count = element('span', { class: 'state-count' });
  readonly #play: ToolbarButton;
  readonly #model: MapModel;
  #theme: Theme;
  #timer = 0;
  #frame = 0;
  #width = 0;

  constructor(model: MapModel, theme: Theme) {
    this.#model = model;
    this.#theme = theme;
    this.slider = element(
      'div',
      {
        class: 'timeline-slider',
        role: 'slider',
        tabindex: '0',
        'aria-label': 'State',
        'aria-valuemin': '0',
        keydown: (event: KeyboardEvent) => this.#onKey(event),
      },
      this.#canvas,
    );
    this.#play = toolbarButton('Play', icons.play, 'Space', () => this.togglePlay());
    const step = (by: number) => () => model.goTo(model.target + by);
    this.element = element(
      'section',
      { class: 'timeline', 'aria-label': 'Time' },
      element(
        'div',
        { class: 'timeline-row' },
        toolbarButton('First state', icons.first, 'Shift+[', () => model.goTo(0)),
        toolbarButton('Previous state', icons.previous, '[', step(-1)),
        this.#play,
        toolbarButton('Next state', icons.next, ']', step(1)),
        toolbarButton('Last state', icons.last, 'Shift+]', () => model.goTo(model.lastState)),
        this.slider,
        this.#count,
      ),
      this.#step,
    );
    this.#listen();
    new ResizeObserver(() => {
      this.#width = this.slider.clientWidth;
      this.draw();
    }).observe(this.slider);
    model.on(['story', 'state', 'pin', 'follow'], () => this.#later());
    model.on(['story'], () => this.stop());
  }

  setTheme(theme: Theme): void {
    this.#theme = theme;
    this.draw();
  }

  get playing(): boolean {
    return this.#timer !== 0;
  }

  togglePlay(): void {
    if (this.playing) {
      this.stop();
      return;
    }
    const model = this.#model;
    if (model.target >= model.lastState) model.goTo(0);
    // A long scenario is told in about half a minute.
    const pace = Math.min(700, Math.max(40, 30_000 / Math.max(1, model.lastState)));
    this.#timer = window.setInterval(() => {
      if (model.target >= model.lastState) this.stop();
      else model.goTo(model.target + 1);
    }, pace);
    this.#showPlay();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = 0;
    this.#showPlay();
  }

  #showPlay(): void {
    this.#play.label = this.playing ? 'Pause' : 'Play';
    this.#play.title = `${this.#play.label} (Space)`;
    refill(this.#play, icon(this.playing ? icons.pause : icons.play));
  }

  /** Once for all that happens before the next frame. */
  #later(): void {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.draw();
    });
  }

  draw(): void {
    this.#tell();
    if (this.#width === 0) return;
    const scale = devicePixelRatio || 1;
    const [wide, high] = [Math.round(this.#width * scale), Math.round(height * scale)];
    if (this.#canvas.width !== wide || this.#canvas.height !== high) {
      this.#canvas.width = wide;
      this.#canvas.height = high;
      this.#canvas.style.width = `${this.#width}px`;
      this.#canvas.style.height = `${height}px`;
    }
    const context = this.#canvas.getContext('2d')!;
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, this.#width, height);
    this.#paint(context, this.#width);
  }

  #x(state: number, width: number): number {
    const last = this.#model.lastState;
    return edge + (last === 0 ? 0 : (state / last) * (width - 2 * edge));
  }

  #paint(context: CanvasRenderingContext2D, width: number): void {
    const { story, lastState, difference, target } = this.#model;
    const { foreground, background, muted, line, accent, violation } = this.#theme;
    const middle = height / 2 + 1;
    const x = (state: number) => Math.round(this.#x(state, width)) + 0.5;
    context.fillStyle = css(line);
    context.fillRect(edge, middle - 1, width - 2 * edge, 2);
    if (!story) return;
    const from = Math.min(target, difference?.state ?? 0);
    const to = Math.max(target, difference?.state ?? 0);
    context.fillStyle = css(accent);
    context.fillRect(x(from), middle - 1, x(to) - x(from), 2);
    const room = (width - 2 * edge) / Math.max(1, lastState);
    if (room >= 4) {
      for (let state = 0; state <= lastState; state++) {
        context.fillStyle = css(state >= from && state <= to ? accent : muted);
        context.fillRect(x(state) - 0.5, middle - 3, 1, 6);
      }
    }
    // Marks a pixel apart are one; a violation outdoes a failure.
    let failedTo = -Infinity;
    let violatedTo = -Infinity;
    for (const [step, { failed, rules }] of story.story.steps.entries()) {
      const at = x(step + 1);
      if (rules.length > 0 && at > violatedTo) {
        context.fillStyle = css(violation);
        context.beginPath();
        context.moveTo(at - 4, 1);
        context.lineTo(at + 4, 1);
        context.lineTo(at, 8);
        context.fill();
        violatedTo = at + 2;
      }
      if (failed && at > failedTo) {
        context.strokeStyle = css(foreground);
        context.lineWidth = 1.5;
        context.beginPath();
        context.moveTo(at - 2.5, height - 7.5);
        context.lineTo(at + 2.5, height - 2.5);
        context.moveTo(at + 2.5, height - 7.5);
        context.lineTo(at - 2.5, height - 2.5);
        context.stroke();
        failedTo = at + 2;
      }
    }
    if (difference) {
      const at = x(difference.state);
      context.fillStyle = css(background);
      context.strokeStyle = css(accent);
      context.lineWidth = 2;
      context.beginPath();
      context.rect(at - 5, middle - 5, 10, 10);
      context.fill();
      context.stroke();
    }
    context.fillStyle = css(accent);
    context.strokeStyle = css(background);
    context.lineWidth = 2;
    context.beginPath();
    context.arc(x(target), middle, 6, 0, 2 * Math.PI);
    context.fill();
    context.stroke();
    if (story.partial) {
      context.strokeStyle = css(mixed(accent, foreground, 0.5));
      context.beginPath();
      context.arc(x(target), middle, 8, -0.8, 0.8);
      context.stroke();
    }
  }

  /** The step that led to the state, and the slider's value. */
  #tell(): void {
    const { story, target, lastState, following, difference } = this.#model;
    this.slider.setAttribute('aria-valuemax', String(lastState));
    this.slider.setAttribute('aria-valuenow', String(target));
    this.#count.textContent = story ? `${target} / ${lastState}` : '';
    if (!story) {
      this.slider.setAttribute('aria-valuetext', 'nothing to show');
      refill(this.#step);
      return;
    }
    const step = target > 0 ? story.story.steps[target - 1] : undefined;
    const said = step
      ? `state ${target} of ${lastState}, after line ${step.line + 1}: ${step.text}${step.outcome ? `, outcome ${step.outcome}` : ''}${step.rules.length ? `, violates ${step.rules.join(', ')}` : ''}`
      : `state 0 of ${lastState}, before the first step`;
    this.slider.setAttribute('aria-valuetext', said);
    refill(
      this.#step,
      step
        ? element(
            'button',
            { class: 'step-line', title: 'Show the line in the editor', click: () => this.onReveal(step.line) },
            `line ${step.line + 1}`,
          )
        : element('span', { class: 'step-line still' }, 'start'),
      element('code', { class: 'step-text' }, step ? step.text : 'before the first step'),
      step?.outcome
        ? element('span', { class: step.failed ? 'outcome failed' : 'outcome' }, `→ ${step.outcome}`)
        : undefined,
      ...[...new Set(step?.rules ?? [])].map((rule) => element('span', { class: 'rule' }, rule)),
      story.partial ? element('span', { class: 'badge' }, 'within the next step') : undefined,
      following
        ? element('span', { class: 'badge' }, following === 'debugger' ? 'at the debugger' : 'at the cursor')
        : undefined,
      difference ? element('span', { class: 'badge' }, `compared with state ${difference.state}`) : undefined,
      story.story.incomplete
        ? element('span', { class: 'badge incomplete', title: story.story.incomplete }, story.story.incomplete)
        : undefined,
    );
  }

  /** The user asks for a line of the scenario. */
  onReveal: (line: number) => void = () => {};

  #onKey(event: KeyboardEvent): void {
    const model = this.#model;
    const page = Math.max(1, Math.round(model.lastState / 10));
    const to: Record<string, number> = {
      ArrowLeft: model.target - 1,
      ArrowDown: model.target - 1,
      ArrowRight: model.target + 1,
      ArrowUp: model.target + 1,
      PageDown: model.target - page,
      PageUp: model.target + page,
      Home: 0,
      End: model.lastState,
    };
    const state = to[event.key];
    if (state === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    model.goTo(state);
  }

  #listen(): void {
    const { slider } = this;
    const go = (event: PointerEvent) => {
      const { left, width } = slider.getBoundingClientRect();
      const part = (event.clientX - left - edge) / Math.max(1, width - 2 * edge);
      const state = Math.round(Math.min(1, Math.max(0, part)) * this.#model.lastState);
      if (state !== this.#model.target || this.#model.following) this.#model.goTo(state);
    };
    slider.addEventListener('pointerdown', (event) => {
      slider.setPointerCapture(event.pointerId);
      this.stop();
      go(event);
    });
    slider.addEventListener('pointermove', (event) => {
      if (slider.hasPointerCapture(event.pointerId)) go(event);
      else this.#hover(event);
    });
  }

  #hover(event: PointerEvent): void {
    const { left, width } = this.slider.getBoundingClientRect();
    const part = (event.clientX - left - edge) / Math.max(1, width - 2 * edge);
    const state = Math.round(Math.min(1, Math.max(0, part)) * this.#model.lastState);
    const step = this.#model.story?.story.steps[state - 1];
    this.slider.title = step
      ? `${state} · line ${step.line + 1}: ${step.text}${step.outcome ? ` → ${step.outcome}` : ''}`
      : 'before the first step';
  }
}
