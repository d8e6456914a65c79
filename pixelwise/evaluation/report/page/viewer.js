"use strict";

// Pictures: two sides of one case, and a strip of cases to choose from.

const SPREAD = "a selection, evenly spread";

const byId = (id) => document.getElementById(id);
const chosen = (id) => Number(byId(id).value);

function element(tag, text = "", attributes = {}) {
  const made = document.createElement(tag);
  made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

function fill(id, labels) {
  byId(id).replaceChildren(...labels.map((label, number) => new Option(label, number)));
}

class Viewer {
  // What there is to show is written by `viewer_content` in html_page.py.
  constructor(content) {
    Object.assign(this, content);
    this.current = null;
    this.fillControls();
    this.listen();
    this.startAgain();
    byId("viewer").hidden = false;
  }

  fillControls() {
    fill("left", this.sides.map((side) => side.label));
    fill("right", this.sides.map((side) => side.label));
    fill("measure", this.measures.map((measure) => measure.head));
    fill("model", this.models.map((model) => model.name));
    const first = this.sides.findIndex((side) => side.model !== null);
    byId("right").value = first < 0 ? this.sides.length - 1 : first;
    byId("left").value = Math.max(0, this.sides.findLastIndex((side) => side.model === null));
    document.querySelectorAll(".ranked").forEach((label) => (label.hidden = !this.rankings.length));
  }

  listen() {
    const on = (id, event, act) => byId(id).addEventListener(event, act);
    const box = byId("compare");
    on("left", "change", () => this.showCase(this.current));
    on("right", "change", () => this.showSides());
    on("order", "change", () => this.showFirst());
    on("measure", "change", () => this.startAgain());
    on("model", "change", () => this.showModel());
    on("swap", "click", () => this.swap());
    on("squares", "change", (event) => box.classList.toggle("squares", event.target.checked));
    on("divider", "input", (event) => box.style.setProperty("--at", `${event.target.value}%`));
    for (const image of box.querySelectorAll("img")) {
      image.addEventListener("load", () => box.style.setProperty("--ratio", image.naturalWidth / image.naturalHeight));
    }
  }

  get ends() {
    const isChosen = (each) => each.measure === chosen("measure") && each.model === chosen("model");
    return this.rankings.find(isChosen)?.ends ?? {};
  }

  startAgain() {
    const before = byId("order").value;
    const orders = [SPREAD, ...Object.keys(this.ends)];
    byId("order").replaceChildren(...orders.map((order) => new Option(order, order)));
    byId("order").value = orders.includes(before) ? before : SPREAD;
    this.showFirst();
  }

  showFirst() {
    const cases = byId("order").value === SPREAD ? this.spread : this.ends[byId("order").value];
    byId("strip").replaceChildren(...cases.map((number) => this.stripItem(number)));
    this.showCase(cases[0]);
  }

  showModel() {
    const side = this.sides.findIndex((each) => each.model === chosen("model"));
    if (side >= 0) byId("right").value = side;
    this.startAgain();
  }

  showSides() {
    const kept = this.current;
    this.showFirst();
    this.showCase(kept);
  }

  swap() {
    [byId("left").value, byId("right").value] = [byId("right").value, byId("left").value];
    this.showSides();
  }

  showCase(number) {
    this.current = number;
    const absent = ["left", "right"].filter((end) => !this.showPicture(end));
    byId("nothing").hidden = !absent.length;
    byId("nothing").textContent = `no picture on the ${absent.join(" and the ")}`;
    this.showCaption();
    if (this.measures.length) this.showScores();
    for (const button of byId("strip").querySelectorAll("button")) {
      button.setAttribute("aria-current", String(Number(button.dataset.case) === number));
    }
  }

  showPicture(end) {
    const side = chosen(end);
    const image = byId(`${end}-picture`);
    const { name, pictures } = this.cases[this.current];
    byId(`${end}-name`).textContent = this.sides[side].label;
    image.hidden = pictures[side] === null;
    image.alt = `${this.sides[side].label} of ${name}`;
    if (pictures[side] !== null) image.src = pictures[side];
    return pictures[side] !== null;
  }

  showCaption() {
    const { name, pictures } = this.cases[this.current];
    const links = element("span");
    for (const side of [chosen("left"), chosen("right")].filter((each) => pictures[each] !== null)) {
      if (links.hasChildNodes()) links.append(" · ");
      links.append(element("a", `open ${this.sides[side].label}`, { href: pictures[side], target: "_blank" }));
    }
    byId("caption").replaceChildren(element("strong", name), links);
  }

  showScores() {
    const table = element("table");
    const head = table.createTHead().insertRow();
    const labels = ["this picture", ...this.measures.map((measure) => measure.head)];
    head.append(...labels.map((label) => element("th", label, { scope: "col" })));
    const body = table.createTBody();
    this.models.forEach(({ name, colour }, model) => {
      const title = element("th", name, { scope: "row" });
      title.prepend(element("span", "", { class: "chip", style: `--chip: var(--model-${colour})` }));
      body.insertRow().append(title, ...this.cases[this.current].scores[model].map((text) => element("td", text)));
    });
    byId("scores").replaceChildren(table);
  }

  stripItem(number) {
    const { name, pictures, scores } = this.cases[number];
    const address = pictures[chosen("right")];
    const picture = address === null ? ["span", { class: "absent" }] : ["img", { loading: "lazy", src: address, alt: "" }];
    const button = element("button", "", { type: "button", title: name, "data-case": number });
    button.append(element(picture[0], "", picture[1]), element("span", name, { class: "name" }));
    if (this.measures.length) {
      const score = scores[chosen("model")][chosen("measure")];
      button.append(element("span", `${this.measures[chosen("measure")].label} ${score}`, { class: "score" }));
    }
    button.addEventListener("click", () => {
      this.showCase(number);
      byId("compare").scrollIntoView({ block: "nearest" });
    });
    const item = element("li");
    item.append(button);
    return item;
  }
}

if (byId("viewer")) new Viewer(JSON.parse(byId("content").textContent));
