// Draws the turns of a run over time: a lane for each user, and beneath how long they waited for the answer.

// Each kind is one path, whatever the number of its turns: thousands of elements would be slow.
// Wrong ones are drawn last, so that none is hidden below those that are as they should be.
const MARKS = {
  acknowledged: { shape: "dot", draw: (x, y) => `M${x} ${y}h0` },
  refused: { shape: "", draw: (x, y) => `M${x - 3.5} ${y - 3.5}h7v7h-7z` },
  unknown: { shape: "", draw: (x, y) => `M${x} ${y - 4.5}l4.5 4.5l-4.5 4.5l-4.5-4.5z` },
  misplaced: { shape: "filled", draw: (x, y) => `M${x} ${y - 5}l5 9h-10z` },
  doubled: { shape: "heavy", draw: (x, y) => `M${x} ${y - 5}v10m-5-5h10` },
  "left behind": { shape: "filled", draw: (x, y) => `M${x - 4} ${y - 4}h8v8h-8z` },
  lost: { shape: "heavy", draw: (x, y) => `M${x - 4} ${y - 4}l8 8m0-8l-8 8` },
};
const TOP = 30;
const AXIS = 24;
const GAP = 30;
const LATENCY = 130;
const RIGHT = 10;
// So many turns that smaller dots show more.
const MANY = 1500;
// Milliseconds; a turn never takes less.
const LEAST = 10;

function markPath(kind, path) {
  return svg("path", { class: `mark ${MARKS[kind].shape}`, "data-kind": kind, d: path });
}

// For legends.
function markIcon(kind) {
  return svg("svg", { width: 16, height: 16, viewBox: "0 0 16 16", "aria-hidden": "true" }, markPath(kind, MARKS[kind].draw(8, 8)));
}

// Distances between ticks that people count in, in seconds.
function tickStep(span, most) {
  const steps = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 3600];
  return steps.find((step) => span / step <= most) ?? 7200;
}

// A moment of the run: seconds, or minutes and seconds on a long axis.
function clock(value, isLong) {
  if (!isLong) return `${Number(value.toFixed(1))} s`;
  return `${Math.floor(value / 60)}:${String(Math.floor(value % 60)).padStart(2, "0")}`;
}

// Where everything is: pixels of moments (milliseconds), of users and of waits (milliseconds, logarithmic).
class Layout {
  constructor(timeline, [from, to], width) {
    const users = timeline.senders.length;
    const lane = users > 24 ? 9 : users > 12 ? 14 : 20;
    this.width = width;
    this.left = 56;
    this.from = from;
    this.to = to;
    this.lane = lane;
    this.lanesEnd = TOP + users * lane;
    this.latencyTop = this.lanesEnd + AXIS + GAP;
    this.latencyEnd = this.latencyTop + LATENCY;
    this.height = this.latencyEnd + AXIS;
    // With room above the slowest one.
    this.longest = timeline.turns.took.reduce((most, took) => Math.max(most, took * 1.5), 1000);
  }

  x(moment) {
    const part = (moment - this.from) / (this.to - this.from);
    return Math.round((this.left + part * (this.width - this.left - RIGHT)) * 10) / 10;
  }

  y(sender) {
    return TOP + (sender + 0.5) * this.lane;
  }

  level(took) {
    const part = Math.log(Math.max(took, LEAST) / LEAST) / Math.log(this.longest / LEAST);
    return Math.round((this.latencyEnd - part * LATENCY) * 10) / 10;
  }
}

function drawBands(timeline, layout) {
  const drawn = svg("g", { class: "bands" });
  const [low, high] = [layout.left, layout.width - RIGHT];
  const clamp = (moment) => Math.min(high, Math.max(low, layout.x(moment)));
  let labelled = -Infinity;
  timeline.bands.forEach((band, index) => {
    if (band.healed < layout.from || band.injected > layout.to) return;
    const [begin, heal, end] = [band.injected, band.heal, band.healed].map(clamp);
    for (const [y, height] of [[TOP, layout.lanesEnd - TOP], [layout.latencyTop, LATENCY]]) {
      const down = { x: begin, y, width: Math.max(heal - begin, 1.5), height };
      drawn.append(
        svg("rect", { class: "fault", ...down }),
        svg("rect", { fill: "url(#hatch)", ...down }),
        svg("rect", { class: "cure", x: heal, y, width: Math.max(end - heal, 0), height }),
        svg("line", { class: "edge", x1: begin, x2: begin, y1: y, y2: y + height }),
        svg("line", { class: "edge healed", x1: end, x2: end, y1: y, y2: y + height }),
      );
    }
    if (begin - labelled < 18) return;
    labelled = begin;
    drawn.append(svg("text", { class: "strong", x: begin, y: TOP - 8 }, String(index + 1)));
  });
  return drawn;
}

function drawAxes(timeline, layout) {
  const drawn = svg("g", { class: "axes" });
  const right = layout.width - RIGHT;
  timeline.senders.forEach((sender, index) => {
    const y = layout.y(index);
    drawn.append(svg("line", { class: "grid", x1: layout.left, x2: right, y1: y, y2: y }));
    if (layout.lane >= 12 || index % 2 === 0) {
      drawn.append(svg("text", { x: layout.left - 8, y: y + 4, "text-anchor": "end" }, sender.slice(0, 7)));
    }
  });
  for (let took = LEAST; took <= layout.longest; took *= 10) {
    const y = layout.level(took);
    drawn.append(svg("line", { class: "grid", x1: layout.left, x2: right, y1: y, y2: y }));
    drawn.append(svg("text", { x: layout.left - 8, y: y + 4, "text-anchor": "end" }, seconds(took / 1000)));
  }
  drawn.append(svg("text", { class: "strong", x: layout.left, y: layout.latencyTop - 10 }, "Time until the answer"));
  const step = tickStep((layout.to - layout.from) / 1000, (right - layout.left) / 70) * 1000;
  for (let moment = Math.ceil(layout.from / step) * step; moment <= layout.to; moment += step) {
    const x = layout.x(moment);
    for (const end of [layout.lanesEnd, layout.latencyEnd]) {
      drawn.append(svg("line", { class: "grid", x1: x, x2: x, y1: end, y2: end + 4 }));
      drawn.append(svg("text", { x, y: end + 17, "text-anchor": "middle" }, clock(moment / 1000, layout.to > 120_000)));
    }
  }
  return drawn;
}

// The turns as paths, and their places, by which the pointer finds them.
function drawTurns(timeline, layout, kinds) {
  const { sender, kind, sent, took } = timeline.turns;
  const paths = Object.fromEntries(Object.keys(MARKS).map((name) => [name, { marks: [], waits: [] }]));
  const places = [];
  sent.forEach((moment, index) => {
    const answered = moment + took[index];
    if (answered < layout.from || answered > layout.to) return;
    const name = kinds[kind[index]];
    const [x, y, level] = [layout.x(answered), layout.y(sender[index]), layout.level(took[index])];
    const begun = Math.max(layout.left, layout.x(moment));
    paths[name].marks.push(MARKS[name].draw(x, y), MARKS[name].draw(x, level));
    if (x - begun > 4) paths[name].waits.push(`M${begun} ${y}H${x}`);
    places.push({ index, x, y, level });
  });
  const drawn = svg("g", { class: places.length > MANY ? "turns dense" : "turns" });
  for (const [name, { marks, waits }] of Object.entries(paths)) {
    if (!marks.length) continue;
    drawn.append(svg("path", { class: "wait", "data-kind": name, d: waits.join("") }), markPath(name, marks.join("")));
  }
  return { drawn, places };
}

// For legends: broken, and being cured.
function bandIcon(name) {
  const box = { width: 16, height: 16 };
  const filled = svg("rect", { fill: "url(#hatch)", ...box });
  return svg("svg", { viewBox: "0 0 16 16", "aria-hidden": "true", ...box }, svg("rect", { class: name, ...box }), name === "fault" ? filled : null);
}

function hatch() {
  const pattern = { id: "hatch", width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" };
  return svg("defs", {}, svg("pattern", pattern, svg("line", { class: "hatch", y2: 6 })));
}

// Returns the picture of a part of a run; `choose` is called with the number of the turn that is pointed at.
function drawChart(timeline, domain, width, kinds, title, choose) {
  const layout = new Layout(timeline, domain, width);
  const { drawn, places } = drawTurns(timeline, layout, kinds);
  const chosen = svg("g", {});
  let current = -1;

  function point(position) {
    current = position;
    const { index, x, y, level } = places[position];
    chosen.replaceChildren(
      svg("circle", { class: "chosen", cx: x, cy: y, r: 8 }),
      svg("circle", { class: "chosen", cx: x, cy: level, r: 8 }),
    );
    choose(index);
  }

  function pointNearest(event) {
    const box = picture.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    let [best, nearest] = [-1, 900];
    places.forEach((place, position) => {
      const distance = (place.x - x) ** 2 + Math.min((place.y - y) ** 2, (place.level - y) ** 2);
      if (distance < nearest) [best, nearest] = [position, distance];
    });
    if (best >= 0) point(best);
  }

  function step(event) {
    const by = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity }[event.key];
    if (by === undefined || !places.length) return;
    event.preventDefault();
    point(Math.min(places.length - 1, Math.max(0, current + by)));
  }

  const picture = svg(
    "svg",
    {
      width, height: layout.height, viewBox: `0 0 ${width} ${layout.height}`,
      role: "img", tabindex: 0, "aria-label": title, onpointermove: pointNearest, onpointerdown: pointNearest, onkeydown: step,
    },
    hatch(), drawBands(timeline, layout), drawAxes(timeline, layout), drawn, chosen,
  );
  return picture;
}
