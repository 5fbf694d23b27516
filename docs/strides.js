// Which cells of memory a tensor of given shape, strides and offset shows, and in which order: the logic of strides.html,
// then the page itself. No framework. In Node only the logic is there, which tests/test_strides_page.py runs.
"use strict";

const MOST_AXES = 4;
const MOST_ELEMENTS = 256;
const MOST_CELLS = 128;

const TEXTS = {
  en: {
    title: "Shape, strides and offset",
    about: "A tensor is a block of memory and a way to walk it. Element (i, j) lies in cell offset + i · strides[0] + " +
      "j · strides[1]. Change the numbers, and see which cells light up and in which order. Point at an element to find " +
      "its cell.",
    cells: "Cells of memory", shape: "Shape", strides: "Strides", offset: "Offset", memory: "Memory", tensor: "Tensor",
    presets: "Views to start from", language: "한국어",
    whole: "whole", slice: "slice", step: "every second", reverse: "backward", transpose: "transpose",
    broadcast: "broadcast", windows: "windows", diagonal: "diagonal",
    notNumbers: (what, got) => `${what} must be whole numbers with commas between them; got '${got}'`,
    tooManyAxes: (got) => `a tensor of at most ${MOST_AXES} axes can be drawn; got ${got}`,
    lengths: (shape, strides) => `there must be one stride for each axis; got ${shape} axes, ${strides} strides`,
    negative: (got) => `the shape must not have negative numbers; got ${got}`,
    tooMany: (got) => `at most ${MOST_ELEMENTS} elements can be drawn; got ${got}`,
    cellCount: (got) => `the number of cells must lie in [1, ${MOST_CELLS}]; got ${got}`,
    outside: (index, place, cells) => `element (${index}) would lie in cell ${place}, outside of cells 0 to ${cells - 1}`,
    summary: (elements, lit, cells) => `${elements} elements in ${lit} of ${cells} cells`,
    cell: (place, orders) => orders.length ? `cell ${place}: element ${orders.join(", ")} in order` :
      `cell ${place}: not shown`,
  },
  ko: {
    title: "모양, 스트라이드, 오프셋",
    about: "텐서는 메모리 한 덩어리와 그것을 훑는 방법입니다. 원소 (i, j)는 오프셋 + i · 스트라이드[0] + j · 스트라이드[1] 번째 칸에 " +
      "있습니다. 숫자를 바꾸면 어느 칸이 어떤 순서로 켜지는지 볼 수 있습니다. 원소를 가리키면 그 칸이 표시됩니다.",
    cells: "메모리 칸 수", shape: "모양", strides: "스트라이드", offset: "오프셋", memory: "메모리", tensor: "텐서",
    presets: "시작할 뷰", language: "English",
    whole: "전체", slice: "슬라이스", step: "하나 건너", reverse: "거꾸로", transpose: "전치",
    broadcast: "브로드캐스트", windows: "윈도", diagonal: "대각선",
    notNumbers: (what, got) => `${what}: 쉼표로 나눈 정수여야 합니다. 받은 값: '${got}'`,
    tooManyAxes: (got) => `축이 ${MOST_AXES}개 이하인 텐서만 그릴 수 있습니다. 받은 값: ${got}`,
    lengths: (shape, strides) => `축마다 스트라이드가 하나씩 있어야 합니다. 축 ${shape}개, 스트라이드 ${strides}개`,
    negative: (got) => `모양에는 음수가 있을 수 없습니다. 받은 값: ${got}`,
    tooMany: (got) => `원소는 ${MOST_ELEMENTS}개까지 그릴 수 있습니다. 받은 값: ${got}`,
    cellCount: (got) => `칸 수는 1 이상 ${MOST_CELLS} 이하여야 합니다. 받은 값: ${got}`,
    outside: (index, place, cells) => `원소 (${index})가 ${place}번 칸에 놓이는데, 칸은 0번부터 ${cells - 1}번까지입니다`,
    summary: (elements, lit, cells) => `원소 ${elements}개, 칸 ${cells}개 가운데 ${lit}개`,
    cell: (place, orders) => orders.length ? `${place}번 칸: ${orders.join(", ")}번째 원소` : `${place}번 칸: 보이지 않음`,
  },
};

const PRESETS = {
  whole: { cells: 24, shape: "4, 6", strides: "6, 1", offset: "0" },
  slice: { cells: 24, shape: "2, 3", strides: "6, 1", offset: "8" },
  step: { cells: 24, shape: "4, 3", strides: "6, 2", offset: "0" },
  reverse: { cells: 24, shape: "4, 6", strides: "-6, -1", offset: "23" },
  transpose: { cells: 24, shape: "6, 4", strides: "1, 6", offset: "0" },
  broadcast: { cells: 24, shape: "4, 6", strides: "0, 1", offset: "6" },
  windows: { cells: 24, shape: "2, 2, 3, 3", strides: "6, 1, 6, 1", offset: "0" },
  diagonal: { cells: 24, shape: "4", strides: "7", offset: "0" },
};

/** Whole numbers from text such as "4, 6"; an empty text gives none. Throws where it is anything else. */
function parseNumbers(text, what, texts) {
  const trimmed = text.trim().replace(/^[([]|[)\]]$/g, "").replace(/,\s*$/, "").trim();
  if (trimmed === "") return [];
  return trimmed.split(/\s*,\s*/).map((part) => {
    if (!/^[-+−]?\d{1,6}$/.test(part)) throw new Error(texts.notNumbers(what, text));
    return Number(part.replace("−", "-"));
  });
}

/** The elements in C order, each with its index and the cell that it lies in. Throws where there can be none such. */
function layout(shape, strides, offset, cells, texts) {
  if (!(cells >= 1 && cells <= MOST_CELLS)) throw new Error(texts.cellCount(cells));
  if (shape.length > MOST_AXES) throw new Error(texts.tooManyAxes(shape.length));
  if (shape.length !== strides.length) throw new Error(texts.lengths(shape.length, strides.length));
  if (shape.some((length) => length < 0)) throw new Error(texts.negative(shape.join(", ")));
  const size = shape.reduce((product, length) => product * length, 1);
  if (size > MOST_ELEMENTS) throw new Error(texts.tooMany(size));
  const elements = [];
  for (let order = 0; order < size; order++) {
    const index = [];
    let rest = order;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index.unshift(rest % shape[axis]);
      rest = Math.floor(rest / shape[axis]);
    }
    const place = index.reduce((sum, at, axis) => sum + at * strides[axis], offset);
    if (place < 0 || place >= cells) throw new Error(texts.outside(index.join(", "), place, cells));
    elements.push({ order, index, place });
  }
  return elements;
}

/** Everything from the four texts of the page. */
function read(given, texts) {
  const [cells] = parseNumbers(String(given.cells), texts.cells, texts);
  const shape = parseNumbers(given.shape, texts.shape, texts);
  const strides = parseNumbers(given.strides, texts.strides, texts);
  const offsets = parseNumbers(String(given.offset), texts.offset, texts);
  if (offsets.length !== 1) throw new Error(texts.notNumbers(texts.offset, given.offset));
  return { shape, cells, elements: layout(shape, strides, offsets[0], cells, texts) };
}

if (typeof module !== "undefined") {
  module.exports = { PRESETS, TEXTS, layout, parseNumbers, read };
} else {
  startPage();
}

// -- the page ---------------------------------------------------------------------------------------------------------
function startPage() {
  const fields = ["cells", "shape", "strides", "offset"];
  const $ = (id) => document.getElementById(id);
  let language = new URLSearchParams(location.search).get("lang") === "ko" ? "ko" : "en";

  function square(parent, value, order, last, place, description) {
    const cell = document.createElement("div");
    cell.className = order === undefined ? "cell" : "cell lit";
    cell.dataset.place = place;
    cell.title = description;
    cell.textContent = value;
    if (order !== undefined) cell.style.setProperty("--share", last ? order / last : 0);
    for (const [event, on] of [["mouseenter", true], ["mouseleave", false]]) {
      cell.addEventListener(event, () => document.querySelectorAll(`[data-place="${place}"]`)
        .forEach((other) => other.classList.toggle("pointed", on)));
    }
    parent.append(cell);
    return cell;
  }

  function drawMemory(cells, elements, texts) {
    const orders = new Map();
    elements.forEach(({ order, place }) => orders.set(place, [...(orders.get(place) ?? []), order]));
    const last = Math.max(0, ...[...orders.values()].map((some) => some[0]));
    for (let place = 0; place < cells; place++) {
      const some = orders.get(place) ?? [];
      square($("memory"), place, some[0], last, place, texts.cell(place, some));
    }
    return { lit: orders.size, last, first: (place) => orders.get(place)[0] };
  }

  function drawTensor(shape, elements, memory) {
    const whole = [1, 1, 1, 1, ...shape].slice(-MOST_AXES);
    const perMatrix = whole[2] * whole[3];
    $("tensor").style.setProperty("--across", whole[1]);
    for (let start = 0; start < elements.length; start += perMatrix) {
      const matrix = document.createElement("div");
      matrix.className = "matrix";
      matrix.style.setProperty("--columns", whole[3]);
      $("tensor").append(matrix);
      for (const { index, place } of elements.slice(start, start + perMatrix)) {
        square(matrix, place, memory.first(place), memory.last, place, `(${index.join(", ")})`);
      }
    }
  }

  function draw() {
    const texts = TEXTS[language];
    $("memory").replaceChildren();
    $("tensor").replaceChildren();
    $("error").textContent = $("summary").textContent = "";
    try {
      const { shape, cells, elements } = read(Object.fromEntries(fields.map((name) => [name, $(name).value])), texts);
      const memory = drawMemory(cells, elements, texts);
      drawTensor(shape, elements, memory);
      $("summary").textContent = texts.summary(elements.length, memory.lit, cells);
    } catch (error) {
      $("error").textContent = error.message;
    }
  }

  function speak() {
    const texts = TEXTS[language];
    document.documentElement.lang = language;
    document.title = texts.title;
    document.querySelectorAll("[data-text]").forEach((element) => {
      element.textContent = texts[element.dataset.text];
    });
    $("language").lang = language === "en" ? "ko" : "en";
    draw();
  }

  for (const [name, preset] of Object.entries(PRESETS)) {
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.text = name;
    button.addEventListener("click", () => {
      fields.forEach((field) => { $(field).value = preset[field]; });
      draw();
    });
    $("presets").append(button);
  }
  fields.forEach((field) => $(field).addEventListener("input", draw));
  $("language").addEventListener("click", () => {
    language = language === "en" ? "ko" : "en";
    speak();
  });
  speak();
}
