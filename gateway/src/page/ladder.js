// The ladder: asks above, bids below, the best of both next to the spread. Rows are made once; a level that changed flashes.

export class Ladder {
  #asks;
  #bids;
  #spread;

  /** Fills the table with `depth` rows a side. */
  constructor(table, depth) {
    const [asks, middle, bids] = table.tBodies;
    this.#asks = new Side(asks, rowsOf(asks, depth).reverse());
    this.#bids = new Side(bids, rowsOf(bids, depth));
    this.#spread = middle.querySelector("output");
  }

  show({ bids, asks }) {
    let most = 0n;
    for (const { lots } of [...bids, ...asks]) if (lots > most) most = lots;
    this.#asks.show(asks, most);
    this.#bids.show(bids, most);
    this.#spread.textContent = spread(bids[0], asks[0]);
  }
}

/** One side of the ladder; its rows begin with the best. */
class Side {
  #body;
  #rows;
  #shown = new Map();

  constructor(body, rows) {
    this.#body = body;
    this.#rows = rows;
  }

  show(levels, most) {
    const hadLevels = this.#shown.size > 0;
    const shown = new Map();
    let total = 0n;
    this.#rows.forEach((row, i) => {
      const level = levels[i];
      if (level) {
        total += level.lots;
        shown.set(level.price, level.qty);
      }
      const isChanged = hadLevels && level && this.#shown.get(level.price) !== level.qty;
      row.show(level, total, most, isChanged);
    });
    this.#shown = shown;
    this.#body.toggleAttribute("data-empty", levels.length === 0);
  }
}

class Row {
  #element;
  #price;
  #qty;
  #total;
  #flash = 0;

  constructor(element) {
    this.#element = element;
    [this.#price, this.#qty, this.#total] = element.cells;
  }

  show(level, total, most, isChanged) {
    if (this.#price.textContent !== (level?.price ?? "")) delete this.#element.dataset.flash;
    this.#price.textContent = level?.price ?? "";
    this.#qty.textContent = level?.qty ?? "";
    this.#total.textContent = level ? decimal(total, decimals(level.qty)) : "";
    this.#qty.style.setProperty("--share", level ? `${(Number(level.lots) / Number(most)) * 100}%` : "0%");
    // Two names of one animation: a new name starts it again.
    if (isChanged) this.#element.dataset.flash = this.#flash ^= 1;
  }
}

function rowsOf(body, depth) {
  return Array.from({ length: depth }, () => {
    const row = body.insertRow();
    const price = document.createElement("th");
    price.scope = "row";
    row.append(price);
    row.insertCell().className = "qty";
    row.insertCell().className = "total";
    return new Row(row);
  });
}

/** The distance of the best prices, and its share of the middle in basis points. */
function spread(bid, ask) {
  if (!bid || !ask) return "–";
  const distance = ask.ticks - bid.ticks;
  const points = (Number(distance) * 20_000) / Number(ask.ticks + bid.ticks);
  return `${decimal(distance, decimals(ask.price))} (${points.toFixed(2)} bp)`;
}

function decimals(text) {
  const point = text.indexOf(".");
  return point < 0 ? 0 : text.length - point - 1;
}

/** The decimal text of `count` units with so many decimals: the inverse of `units`. */
function decimal(count, places) {
  if (places === 0) return `${count}`;
  const [sign, digits] = count < 0n ? ["-", `${-count}`] : ["", `${count}`];
  const padded = digits.padStart(places + 1, "0");
  return `${sign}${padded.slice(0, -places)}.${padded.slice(-places)}`;
}
