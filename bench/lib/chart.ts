/** Plots as SVG, without dependencies. They are read on white and on dark pages, so they bring their own background. */
export type Chart = BarChart | LineChart;

interface ChartHead {
  /** File name under docs/benchmarks/, without `.svg`. */
  readonly name: string;
  readonly title: string;
}

export interface BarChart extends ChartHead {
  readonly kind: 'bars';
  readonly unit: string;
  /** `highlight`: the bar that the plot is about. `low` and `high`: the spread over the rounds. */
  readonly bars: readonly {
    readonly label: string;
    readonly value: number;
    readonly low?: number;
    readonly high?: number;
    readonly highlight?: boolean;
  }[];
}

export interface LineChart extends ChartHead {
  readonly kind: 'lines';
  readonly x: string;
  readonly y: string;
  /** Logarithmic y axis. */
  readonly logarithmic?: boolean;
  readonly lines: readonly {
    readonly label: string;
    readonly points: readonly (readonly [number, number])[];
  }[];
}

const WIDTH = 760;
const FONT = 'font-family="system-ui, sans-serif" font-size="13"';
const INK = '#1f2933';
const FAINT = '#d8dee4';
const COLOURS = ['#c2571a', '#3b6ea5', '#5a8f3d', '#8a5aa8', '#a58b1f', '#4a4a4a'];
const PLAIN = '#9fb3c8';

export function renderChart(chart: Chart): string {
  return chart.kind === 'bars' ? bars(chart) : lines(chart);
}

function bars({ title, unit, bars: all }: BarChart): string {
  const left = 250;
  const right = 110;
  const top = 48;
  const step = 26;
  const height = top + all.length * step + 16;
  const most = Math.max(...all.map(({ value, high }) => Math.max(value, high ?? 0)), 1e-9);
  const scale = (value: number): number => (value / most) * (WIDTH - left - right);
  const rows = all.flatMap(({ label, value, low, high, highlight }, index) => {
    const y = top + index * step;
    const whisker =
      low === undefined || high === undefined
        ? []
        : [line(left + scale(low), y + 9, left + scale(high), y + 9, INK, 1.5)];
    return [
      text(left - 8, y + 14, label, 'end'),
      `<rect x="${left}" y="${y}" width="${scale(value).toFixed(1)}" height="18" fill="${highlight ? COLOURS[0] : PLAIN}"/>`,
      ...whisker,
      text(left + scale(Math.max(value, high ?? 0)) + 6, y + 14, figure(value), 'start'),
    ];
  });
  return page(height, title, [text(WIDTH - 8, 40, unit, 'end'), ...rows]);
}

function lines({ title, x, y, logarithmic, lines: all }: LineChart): string {
  const [left, right, top, bottom] = [70, 20, 56, 60];
  const height = 380;
  const points = all.flatMap((one) => one.points).filter((point) => point.every(Number.isFinite));
  const xs = points.map(([at]) => at);
  const ys = points.map(([, at]) => at);
  const [xLow, xHigh] = [Math.min(...xs, 0), Math.max(...xs, 1e-9)];
  const yHigh = Math.max(...ys, 1e-9);
  const yLow = logarithmic ? 10 ** Math.floor(Math.log10(Math.max(1e-6, Math.min(...ys)))) : 0;
  const toX = (value: number): number => left + ((value - xLow) / (xHigh - xLow)) * (WIDTH - left - right);
  const part = (value: number): number =>
    logarithmic ? Math.log(Math.max(value, yLow) / yLow) / Math.log(yHigh / yLow || 10) : value / yHigh;
  const toY = (value: number): number => height - bottom - part(value) * (height - top - bottom);
  const yTicks = logarithmic
    ? Array.from({ length: Math.floor(Math.log10(yHigh / yLow)) + 1 }, (_, power) => yLow * 10 ** power)
    : [0, 0.25, 0.5, 0.75, 1].map((share) => share * yHigh);
  const xTicks = [...new Set(xs)]
    .toSorted((a, b) => a - b)
    .filter((_, index, list) => index % Math.ceil(list.length / 8) === 0);
  const grid = [
    ...yTicks.flatMap((tick) => [
      line(left, toY(tick), WIDTH - right, toY(tick), FAINT, 1),
      text(left - 6, toY(tick) + 4, figure(tick), 'end'),
    ]),
    ...xTicks.map((tick) => text(toX(tick), height - bottom + 18, figure(tick), 'middle')),
    text((left + WIDTH - right) / 2, height - bottom + 38, x, 'middle'),
    text(8, 44, y, 'start'),
  ];
  const drawn = all.flatMap(({ label, points: own }, index) => {
    const colour = COLOURS[index % COLOURS.length] as string;
    const finite = own.filter((point) => point.every(Number.isFinite));
    const path = finite.map(([px, py]) => `${toX(px).toFixed(1)},${toY(py).toFixed(1)}`).join(' ');
    const legendX = left + (index % 4) * 170;
    const legendY = height - 8 - Math.floor(index / 4) * 14;
    return [
      `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`,
      ...finite.map(
        ([px, py]) =>
          `<circle cx="${toX(px).toFixed(1)}" cy="${toY(py).toFixed(1)}" r="3" fill="${colour}"/>`,
      ),
      line(legendX, legendY - 4, legendX + 18, legendY - 4, colour, 3),
      text(legendX + 24, legendY, label, 'start'),
    ];
  });
  return page(height, title, [...grid, ...drawn]);
}

function page(height: number, title: string, parts: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escape(title)}" ${FONT}>`,
    `<rect width="100%" height="100%" fill="#ffffff"/>`,
    `<text x="8" y="22" font-size="16" font-weight="600" fill="${INK}">${escape(title)}</text>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

function text(x: number, y: number, content: string, anchor: 'start' | 'middle' | 'end'): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}" fill="${INK}">${escape(content)}</text>`;
}

function line(x1: number, y1: number, x2: number, y2: number, colour: string, width: number): string {
  const at = [x1, y1, x2, y2].map((value) => value.toFixed(1));
  return `<line x1="${at[0]}" y1="${at[1]}" x2="${at[2]}" y2="${at[3]}" stroke="${colour}" stroke-width="${width}"/>`;
}

function figure(value: number): string {
  if (Math.abs(value) >= 10_000) return `${(value / 1000).toFixed(0)}k`;
  return String(Number(value.toPrecision(3)));
}

function escape(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
