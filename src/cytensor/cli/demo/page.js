// The page of `cytensor demo`: strokes on a canvas, sent as bytes of ink to the server that gave out this page, and what
// comes back as bars and pictures. No framework, nothing from elsewhere.
"use strict";

const SIDE = 112;                  // of the drawing that is sent, as recognizer.py expects it
const PEN = 0.085;                 // width of the pen, of the paper's side

const TEXTS = {
  en: {
    title: "Draw a digit", language: "한국어", drawing: "Your drawing", clear: "Clear", undo: "Undo a stroke",
    example: "Draw one for me", answer: "What the network says", layers: "What each layer sees",
    about: "First the drawing as the network gets it: small, and in the middle, as the digits it was trained on. Then each " +
      "layer: a convolution gives a picture for each of its filters, blue where the filter finds what it looks for.",
    paper: "Paper to draw a digit on with the mouse, a finger or a pen", nothing: "Nothing drawn yet",
    says: (digit, share) => `${digit}, ${share} sure`, training: (state) => `The network is being trained: ${state}`,
    begins: "it begins", gone: "The server has ended. Start it again: cytensor demo",
    seen: "The network's input", layer: (kind, name, shape) => `${kind} (${name}): ${shape}`,
  },
  ko: {
    title: "숫자를 그려 보세요", language: "English", drawing: "그림", clear: "지우기", undo: "한 획 되돌리기",
    example: "대신 그려 줘", answer: "신경망의 대답", layers: "층마다 보이는 것",
    about: "먼저 신경망이 받는 그림입니다. 학습한 숫자들처럼 작고 한가운데에 있습니다. 그다음은 층입니다. 합성곱은 필터마다 그림을 " +
      "하나씩 내놓는데, 필터가 찾는 것이 있는 곳이 파랗습니다.",
    paper: "마우스, 손가락, 펜으로 숫자를 그리는 종이", nothing: "아직 그린 것이 없습니다",
    says: (digit, share) => `${digit}, 확률 ${share}`, training: (state) => `신경망을 학습하고 있습니다: ${state}`,
    begins: "시작합니다", gone: "서버가 끝났습니다. 다시 시작하세요: cytensor demo",
    seen: "신경망의 입력", layer: (kind, name, shape) => `${kind} (${name}): ${shape}`,
  },
};

// Digits as a hand draws them, points (x, y) of each stroke.
const EXAMPLES = [
  [[[0.3, 0.28], [0.55, 0.2], [0.68, 0.33], [0.5, 0.47], [0.7, 0.6], [0.6, 0.78], [0.3, 0.76]]],
  [[[0.3, 0.25], [0.7, 0.25], [0.55, 0.5], [0.45, 0.8]]],
  [[[0.33, 0.2], [0.3, 0.52], [0.68, 0.5]], [[0.62, 0.3], [0.6, 0.82]]],
  [[[0.32, 0.32], [0.45, 0.2], [0.63, 0.26], [0.6, 0.45], [0.32, 0.76], [0.7, 0.76]]],
  [[[0.5, 0.2], [0.36, 0.32], [0.33, 0.6], [0.45, 0.8], [0.62, 0.72], [0.66, 0.42], [0.58, 0.23], [0.47, 0.2]]],
];

const $ = (id) => document.getElementById(id);
const strokes = [];
let language = (navigator.language || "en").startsWith("ko") ? "ko" : "en";
let answer = null, message = null, drawing = false, ready = false, asking = false, changed = false, shown = 0;

// -- drawing ----------------------------------------------------------------------------------------------------------
function paint(context, side, colour) {
  context.clearRect(0, 0, side, side);
  Object.assign(context, { lineCap: "round", lineJoin: "round", lineWidth: PEN * side, strokeStyle: colour });
  for (const stroke of strokes) {
    const points = stroke.map(([x, y]) => [x * side, y * side]);
    const last = points.at(-1);
    context.beginPath();
    context.moveTo(...points[0]);
    points.slice(0, -1).forEach(([x, y], i) => {           // curves between the middles of the points
      context.quadraticCurveTo(x, y, (x + points[i + 1][0]) / 2, (y + points[i + 1][1]) / 2);
    });
    context.lineTo(...last);
    context.stroke();
  }
}

function ink() {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIDE;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  paint(context, SIDE, "#000");
  const { data } = context.getImageData(0, 0, SIDE, SIDE);
  return Uint8Array.from({ length: SIDE * SIDE }, (_, i) => data[4 * i + 3]);
}

function redraw() {
  paint($("paper").getContext("2d"), $("paper").width, colour("--ink"));
  ask();
}

function place(event) {
  const box = $("paper").getBoundingClientRect();
  return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
}

$("paper").addEventListener("pointerdown", (event) => {
  if (event.button !== 0) return;
  event.preventDefault();
  $("paper").setPointerCapture(event.pointerId);
  drawing = true;
  strokes.push([place(event)]);
  redraw();
});
$("paper").addEventListener("pointermove", (event) => {
  if (!drawing) return;
  for (const one of event.getCoalescedEvents?.() ?? [event]) strokes.at(-1).push(place(one));
  redraw();
});
for (const end of ["pointerup", "pointercancel"]) $("paper").addEventListener(end, () => { drawing = false; });
$("clear").addEventListener("click", () => { strokes.length = 0; redraw(); });
$("undo").addEventListener("click", () => { strokes.pop(); redraw(); });
$("example").addEventListener("click", () => {
  strokes.splice(0, strokes.length, ...EXAMPLES[shown++ % EXAMPLES.length]);
  redraw();
});

// -- the server -------------------------------------------------------------------------------------------------------
// One question at a time: what is drawn meanwhile is asked as soon as the answer is there.
async function ask() {
  changed = true;
  if (asking || !ready) return;
  asking = true;
  try {
    while (changed) {
      changed = false;
      const response = await fetch("/recognize", { method: "POST", body: ink() });
      answer = await response.json();
      message = null;
      show();
    }
  } catch {
    lose();
  } finally {
    asking = false;
  }
}

async function waitUntilReady() {
  try {
    const state = await (await fetch("/state")).json();
    ready = state.ready;
    if (ready) { message = null; show(); ask(); return; }
    message = (texts) => texts.training(state.state || texts.begins);
    show();
    setTimeout(waitUntilReady, 500);
  } catch {
    lose();
  }
}

function lose() {
  ready = false;
  message = (texts) => texts.gone;
  show();
  setTimeout(waitUntilReady, 2000);
}

// -- what came back ---------------------------------------------------------------------------------------------------
function colour(name) { return getComputedStyle(document.documentElement).getPropertyValue(name).trim(); }

function mixed() {
  const parts = ["--none", "--bar"].map((name) => colour(name).match(/[0-9a-f]{2}/gi).map((two) => parseInt(two, 16)));
  return (share) => parts[0].map((low, i) => low + (parts[1][i] - low) * share);
}

function pictures(parent, { count, height, width, bytes }, label) {
  const values = Uint8Array.from(atob(bytes), (letter) => letter.charCodeAt(0));
  const [rows, columns] = height === 1 ? [Math.ceil(width / 64), Math.min(width, 64)] : [height, width];
  const scale = Math.max(1, Math.round((height === 1 ? 4 : count === 1 ? 84 : 40) / (height === 1 ? 1 : rows)));
  const tint = mixed();
  const box = document.createElement("div");
  box.className = "maps";
  box.setAttribute("role", "img");
  box.setAttribute("aria-label", label);
  for (let map = 0; map < count; map++) {
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width: columns, height: rows });
    canvas.style.width = `${columns * scale}px`;
    const context = canvas.getContext("2d"), image = context.createImageData(columns, rows);
    for (let i = 0; i < height * width; i++) {
      image.data.set([...tint(values[map * height * width + i] / 255), 255], 4 * i);
    }
    context.putImageData(image, 0, 0);
    box.append(canvas);
  }
  parent.append(box);
}

function heading(text) {
  const title = document.createElement("h3");
  title.textContent = text;
  $("layers").append(title);
}

function showLayers(texts) {
  $("layers").replaceChildren();
  if (!answer?.seen) return;
  heading(texts.seen);
  pictures($("layers"), answer.seen, texts.seen);
  for (const layer of answer.layers) {
    const label = texts.layer(layer.kind, layer.name, layer.shape.join(" x "));
    heading(label);
    pictures($("layers"), layer.maps ?? layer.units, label);
  }
}

function showProbabilities(texts) {
  const shares = answer?.probabilities.length ? answer.probabilities : Array(10).fill(0);
  const list = $("probabilities");
  while (list.children.length > shares.length) list.lastChild.remove();
  while (list.children.length < shares.length) {
    const row = document.createElement("li");
    row.innerHTML = "<span></span><span class=bar><i></i></span><span class=share></span>";
    list.append(row);
  }
  const best = Math.max(...shares);
  const percent = (share) => `${(100 * share).toFixed(1)} %`;
  shares.forEach((share, digit) => {
    const [name, bar, number] = list.children[digit].children;
    name.textContent = digit;
    bar.firstChild.style.width = `${100 * share}%`;
    number.textContent = percent(share);
    list.children[digit].className = best > 0 && share === best ? "best" : "";
  });
  $("answer").textContent = best > 0 ? texts.says(shares.indexOf(best), percent(best)) : texts.nothing;
}

function show() {
  const texts = TEXTS[language];
  $("message").textContent = message ? message(texts) : "";
  showProbabilities(texts);
  showLayers(texts);
}

function speak() {
  const texts = TEXTS[language];
  document.documentElement.lang = language;
  document.title = texts.title;
  document.querySelectorAll("[data-text]").forEach((element) => { element.textContent = texts[element.dataset.text]; });
  $("language").lang = language === "en" ? "ko" : "en";
  $("paper").setAttribute("aria-label", texts.paper);
  show();
}

$("language").addEventListener("click", () => { language = language === "en" ? "ko" : "en"; speak(); });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { redraw(); show(); });
speak();
waitUntilReady();
