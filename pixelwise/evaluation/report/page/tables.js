"use strict";

// Tables: a press on a head sorts by its column, the better end first; another press turns it round.

function valueIn(row, column) {
  const cell = row.cells[column];
  if (cell.tagName === "TH") return cell.textContent.trim();
  return cell.dataset.value === "" ? null : Number(cell.dataset.value.replace("inf", "Infinity"));
}

function compare(one, other) {
  if (typeof one === "string") return one.localeCompare(other, undefined, { numeric: true });
  return one - other;
}

function sort(table, column, descending) {
  const body = table.tBodies[0];
  const rows = [...body.rows].map((row) => ({ row, real: row.classList.contains("real"), value: valueIn(row, column) }));
  rows.sort((one, other) => {
    // Real photos do not compete, and what has no value is last in any order.
    if (one.real !== other.real) return one.real ? 1 : -1;
    if (one.value === null || other.value === null) return (one.value === null) - (other.value === null);
    return descending ? compare(other.value, one.value) : compare(one.value, other.value);
  });
  body.append(...rows.map(({ row }) => row));
}

function makeSortable(table) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    head.querySelector("button").addEventListener("click", () => {
      const before = head.getAttribute("aria-sort");
      const moreFirst = head.textContent.trim().endsWith("↑");
      const descending = before === "none" ? moreFirst : before === "ascending";
      heads.forEach((each) => each.setAttribute("aria-sort", "none"));
      head.setAttribute("aria-sort", descending ? "descending" : "ascending");
      sort(table, column, descending);
    });
  });
}

document.querySelectorAll(".groups table").forEach(makeSortable);
