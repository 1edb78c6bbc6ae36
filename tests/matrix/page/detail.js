// What a click on a cell shows.
const SYMBOLS = { pass: "✓", fail: "✕", unknown: "?", "left out": "—", "not run": "·" };
const CLASS_TITLES = { rasa: "Rasa’s own class", steadfast: "Steadfast" };
const KIND_TITLES = { misplaced: "out of order", "left behind": "refused, yet stored" };

const { kinds: KINDS, cells: CELLS } = JSON.parse(document.getElementById("data").textContent);
const keyOf = (cell) => `${cell.store}/${cell.tracker_store_class}/${cell.fault}`;
const CELL = new Map(CELLS.map((cell) => [keyOf(cell), cell]));

function describeTurn(timeline, index) {
  const { sender, text, kind, sent, took, tries, error } = timeline.turns;
  const name = KINDS[kind[index]];
  const parts = [
    `sent after ${seconds(sent[index] / 1000)}`,
    `answered in ${seconds(took[index] / 1000)}`,
    tries[index] > 1 ? `${tries[index]} tries` : null,
    error[index] === null ? null : timeline.errors[error[index]],
  ].filter(Boolean);
  return [
    html("b", {}, `${timeline.senders[sender[index]]} “${text[index]}”: ${KIND_TITLES[name] ?? name}`),
    ` · ${parts.join(" · ")}`,
  ];
}

function figures(cell) {
  const { counts } = cell;
  const shown = [
    ["Faults", counts.faults], ["Turns", counts.turns], ["Acknowledged", counts.acknowledged], ["Refused", counts.refused],
    ["Unknown", counts.unknown], ["Lost", counts.lost, "wrong"], ["Doubled", counts.doubled, "wrong"],
    ["Out of order", counts.out_of_order, "wrong"], ["Slowest first answer", seconds(cell.first_acknowledged.worst)],
    ["Slow for at most", seconds(cell.slow.worst)],
  ];
  const one = ([label, value, ifAny]) =>
    html("div", {}, html("dt", {}, label), html("dd", { class: value ? ifAny : null }, value.toLocaleString("en")));
  return html("dl", { class: "figures" }, ...shown.map(one));
}

// A select to look at one fault, a legend with counts, and the picture, which fits its place.
function timelinePart(run, title) {
  const { timeline } = run;
  const { turns, bands } = timeline;
  const last = Math.max(...turns.sent.map((sent, index) => sent + turns.took[index]), ...bands.map((band) => band.healed));
  const whole = [0, last * 1.01 + 200];
  const around = (band) => [Math.max(0, band.injected - 3000), band.healed + 7000];
  const views = [["whole run", whole], ...bands.map((band, index) => [`fault ${index + 1}`, around(band)])];
  const readout = html("p", { class: "readout", "aria-live": "polite" }, "Point at a turn, or move through them with the arrow keys.");
  const place = html("div", { class: "chart" });
  const choice = html(
    "select",
    { "aria-label": "Part of the run", onchange: draw },
    ...views.map(([name], index) => html("option", { value: index }, name)),
  );
  const legend = KINDS.map((name, index) => [name, turns.kind.filter((kind) => kind === index).length]).filter(([, found]) => found);
  const entry = ([name, found]) =>
    html("li", {}, markIcon(name), `${KIND_TITLES[name] ?? name} ${found.toLocaleString("en")}`);

  let width = 0;
  function draw() {
    const [, domain] = views[Number(choice.value)];
    place.replaceChildren(drawChart(timeline, domain, width, KINDS, title, (index) => readout.replaceChildren(...describeTurn(timeline, index))));
  }

  // The picture makes its place higher: only another width asks for another picture, which has no turn chosen.
  new ResizeObserver(() => {
    const wanted = Math.max(280, place.clientWidth);
    if (wanted === width) return;
    width = wanted;
    draw();
  }).observe(place);
  return html(
    "div",
    {},
    html(
      "div",
      { class: "above-chart" },
      html(
        "ul",
        { "aria-label": "Legend" },
        ...legend.map(entry),
        html("li", {}, bandIcon("fault"), "broken"),
        html("li", {}, bandIcon("cure"), "being cured"),
      ),
      choice,
    ),
    place,
    readout,
  );
}

function roundsPart(run) {
  const row = (band, index) => {
    const after = run.recovery[index];
    const cells = [
      String(index + 1), seconds(band.healed - band.injected), seconds(after?.first_acknowledged ?? null),
      seconds(after?.slow ?? null), String(after?.refused ?? "–"), band.cure,
    ];
    return html("tr", {}, ...cells.map((text) => html("td", {}, text)));
  };
  const heads = ["", "Broken for", "First answer after", "Slow for", "Refused", "Cure"];
  return html(
    "div",
    {},
    html("h3", {}, "Recovery"),
    html(
      "div",
      { class: "tall", tabindex: 0, role: "group", "aria-label": "Recovery of each fault" },
      html(
        "table",
        { class: "rounds" },
        html("thead", {}, html("tr", {}, ...heads.map((text) => html("th", { scope: "col" }, text)))),
        html("tbody", {}, ...run.bands.map(row)),
      ),
    ),
  );
}

function checksPart(run) {
  const entry = (verdict) =>
    html(
      "li",
      { "data-state": verdict.outcome },
      html("span", { class: "symbol", role: "img", "aria-label": verdict.outcome }, SYMBOLS[verdict.outcome]),
      verdict.check.replaceAll("_", " "),
      verdict.details.length ? html("ul", {}, ...verdict.details.map((detail) => html("li", {}, detail))) : null,
    );
  const title = html("h3", {}, "Checks");
  const list = html("ul", { class: "checks" }, ...run.verdicts.map(entry));
  const box = html("div", { class: "tall", tabindex: 0, role: "group", "aria-label": "Checks" }, list);
  return html("div", {}, title, box);
}

function commandPart(run) {
  const code = html("code", { tabindex: 0 }, run.command);
  const button = html("button", { type: "button", onclick: copy }, "Copy");

  async function copy() {
    try {
      await navigator.clipboard.writeText(run.command);
      button.textContent = "Copied";
    } catch {
      // A page from a file may be denied the clipboard: what is selected can be copied by hand.
      getSelection().selectAllChildren(code);
      button.textContent = "Selected";
    }
  }

  const started = new Date(run.started * 1000).toISOString().slice(0, 16).replace("T", " ");
  return html(
    "div",
    {},
    html("h3", {}, "Repeat it"),
    html("div", { class: "command" }, code, button),
    html("p", { class: "readout" }, `Commit ${run.commit} · seed ${run.seed} · ${started} UTC · took ${seconds(run.seconds)}`),
  );
}

function runPart(cell, run) {
  const title = `Turns of ${cell.title}: ${cell.sentence}`;
  const trouble = run.trouble ? html("p", { class: "trouble" }, run.trouble) : null;
  const drawn = run.timeline.turns.sent.length ? timelinePart(run, title) : null;
  return [trouble, drawn, html("div", { class: "side" }, checksPart(run), roundsPart(run)), commandPart(run)].filter(Boolean);
}

// The same fault and store with each class: the comparison that the matrix is about.
function classSwitch(cell, open) {
  const pair = Object.keys(CLASS_TITLES).map((name) => CELL.get(keyOf({ ...cell, tracker_store_class: name }))).filter(Boolean);
  if (pair.length < 2) return null;
  const one = (each) =>
    html(
      "button",
      { type: "button", "data-class": each.tracker_store_class, "aria-pressed": each === cell, onclick: () => open(keyOf(each)) },
      `${SYMBOLS[each.state]} ${CLASS_TITLES[each.tracker_store_class]}`,
    );
  return html("div", { class: "views", role: "group", "aria-label": "Tracker store class" }, ...pair.map(one));
}

// Fills the dialog with a cell; `open` goes to another one.
function detailOf(cell, open, close) {
  const [run] = cell.runs;
  const place = html("div", { class: "run" });
  const show = (index) => place.replaceChildren(...runPart(cell, cell.runs[index]));
  const choice = html(
    "select",
    { "aria-label": "Run", onchange: (event) => show(Number(event.target.value)) },
    ...cell.runs.map((each, index) => html("option", { value: index }, `run ${index + 1}, seed ${each.seed}`)),
  );
  const about = [run ? `${run.server} on ${run.system}` : cell.store, CLASS_TITLES[cell.tracker_store_class] ?? cell.tracker_store_class];
  if (cell.is_control) about.push("control: the checks must find it out");
  if (run) show(0);
  return [
    html(
      "div",
      { class: "top" },
      html(
        "div",
        {},
        html("h2", { id: "detail-title" }, cell.title),
        html("p", { class: "about" }, about.join(" · ")),
        html("p", { class: "said", "data-state": cell.state }, `${SYMBOLS[cell.state]} ${cell.sentence}`),
      ),
      html(
        "div",
        { class: "actions" },
        cell.runs.length > 1 ? choice : null,
        classSwitch(cell, open),
        html("button", { type: "button", class: "quiet", id: "close", onclick: close }, "Close"),
      ),
    ),
    ...(run ? [figures(cell), place] : []),
  ];
}
