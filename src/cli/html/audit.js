/* Charts and sortable tables for what the page already says in its tables. Names are only ever text here. */
(function () {
  "use strict";
  var data = JSON.parse(document.getElementById("data").textContent);
  var style = getComputedStyle(document.documentElement);
  function colour(name) { return style.getPropertyValue(name).trim(); }
  var palette = ["#4c78c8", "#e08b3e", "#54a878", "#c75c5c", "#8f6fc0", "#3fa2b5", "#b5983a", "#8a94a3"];

  function size(bytes) {
    var units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"], unit = 0;
    while (bytes >= 1023.5 && unit < units.length - 1) { bytes /= 1024; unit++; }
    return (unit && bytes < 99.95 ? bytes.toFixed(1) : Math.round(bytes)) + " " + units[unit];
  }
  function count(number) { return Math.round(number).toLocaleString("en"); }
  /* Patterns begin alike and end alike: what is cut is the middle. */
  function brief(text) { return text.length > 34 ? text.slice(0, 15) + "\u2026" + text.slice(-18) : text; }

  function draw(id, config) {
    var canvas = document.getElementById(id);
    if (canvas) new Chart(canvas, config);
  }
  /* Steps of bytes are round in powers of two. */
  function step(rows, show) {
    var most = Math.max.apply(null, rows.map(function (row) { return row.value; }).concat(1));
    return show === size ? Math.pow(2, Math.ceil(Math.log2(most / 4))) : undefined;
  }
  function bars(id, rows, show, tint) {
    draw(id, {
      type: "bar",
      data: {
        labels: rows.map(function (row) { return brief(row.name); }),
        datasets: [{
          data: rows.map(function (row) { return row.value; }), maxBarThickness: 22, borderRadius: 3,
          backgroundColor: rows.map(function (row) { return row.none ? colour("--warning") : tint; })
        }]
      },
      options: {
        indexAxis: "y", maintainAspectRatio: false, animation: false,
        plugins: {
          legend: { display: false },
          tooltip: {
            callbacks: {
              title: function (items) { return rows[items[0].dataIndex].name; },
              label: function (item) {
                var row = rows[item.dataIndex];
                return row.low === undefined ? show(row.value)
                  : "about " + show(row.value) + " (" + show(row.low) + " to " + show(row.high) + ")";
              }
            }
          }
        },
        scales: {
          x: { grid: { color: colour("--line") }, ticks: { callback: show, maxTicksLimit: 7, maxRotation: 0, stepSize: step(rows, show) }, beginAtZero: true },
          y: { grid: { display: false }, ticks: { autoSkip: false } }
        }
      }
    });
  }
  function top(key) {
    var rows = data.patterns.map(function (one) {
      var row = { name: one.name, none: one.none, value: one[key] };
      if (key === "bytes" && !one.exact) { row.low = one.low; row.high = one.high; }
      return row;
    }).filter(function (row) { return row.value > 0; });
    rows.sort(function (a, b) { return b.value - a.value; });
    var rest = rows.slice(11).reduce(function (sum, row) { return sum + row.value; }, 0);
    rows = rows.slice(0, 11);
    if (rest > 0) rows.push({ name: "all others", value: rest });
    return rows;
  }
  function ring(id, parts, show) {
    draw(id, {
      type: "doughnut",
      data: {
        labels: parts.map(function (part) { return part.name; }),
        datasets: [{ data: parts.map(function (part) { return part.value; }), backgroundColor: palette,
          borderColor: colour("--card") }]
      },
      options: {
        maintainAspectRatio: false, animation: false, cutout: "58%",
        plugins: {
          legend: { position: "right" },
          tooltip: { callbacks: { label: function (item) { return item.label + ": " + show(item.parsed); } } }
        }
      }
    });
  }

  if (window.Chart) {
    Chart.defaults.color = colour("--dim");
    Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
    document.documentElement.className = "drawn";
    bars("bytes", top("bytes"), size, colour("--accent"));
    bars("keys", top("keys"), count, "#54a878");
    bars("spans", data.spans, count, "#8f6fc0");
    ring("types", data.types, count);
  }

  document.querySelectorAll("th[data-sort]").forEach(function (head) {
    head.addEventListener("click", function () {
      var table = head.closest("table"), body = table.tBodies[0], at = head.cellIndex;
      var down = head.dataset.sort !== "down";
      table.querySelectorAll("th[data-sort]").forEach(function (other) { other.dataset.sort = ""; });
      head.dataset.sort = down ? "down" : "up";
      Array.from(body.rows).sort(function (a, b) {
        var x = a.cells[at].dataset.value, y = b.cells[at].dataset.value;
        var order = x === undefined ? a.cells[at].textContent.localeCompare(b.cells[at].textContent) : y - x;
        return down ? order : -order;
      }).forEach(function (row) { body.appendChild(row); });
    });
  });
})();
