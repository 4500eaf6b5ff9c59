#include "report/style.h"

namespace velum::report {

std::string_view style_sheet() {
  // Ten colours for series that differ in lightness as well as in hue, each with contrast enough on its
  // ground.
  return R"css(
:root {
  color-scheme: light dark;
  --ground: #f5f7f9; --panel: #ffffff; --ink: #17202c; --muted: #566171; --rule: #d9dfe6; --zero: #9aa5b2;
  --right: #1c5fb0; --wrong: #c2500c; --on: #ffffff;
  --c0: #1c5fb0; --c1: #d9650f; --c2: #1b8a4b; --c3: #8b3fc0; --c4: #c42a52;
  --c5: #0b8291; --c6: #9a7400; --c7: #55606e; --c8: #7a4a2b; --c9: #4a47c9;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #10151c; --panel: #181f28; --ink: #e6ebf1; --muted: #a3afbd; --rule: #303a47; --zero: #66727f;
    --right: #6aaaf2; --wrong: #f29a55; --on: #0c1116;
    --c0: #6aaaf2; --c1: #f29a55; --c2: #5dcb8b; --c3: #c795f2; --c4: #f5829f;
    --c5: #55cbd9; --c6: #e0bf4f; --c7: #b4bfcb; --c8: #cf9f7d; --c9: #a3a1f7;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--ground); color: var(--ink); line-height: 1.5;
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, "Noto Sans", "DejaVu Sans", sans-serif;
}
main { max-width: 1180px; margin: 0 auto; padding: 28px 24px 48px; }
header h1 { font-size: 26px; line-height: 1.25; margin: 0; overflow-wrap: anywhere; }
header p { margin: 4px 0 0; color: var(--muted); }
h2 { font-size: 18px; margin: 34px 0 12px; }
h3 { font-size: 15px; color: var(--ink); margin: 0 0 4px; overflow-wrap: anywhere; }
nav { margin: 14px 0 0; font-size: 14px; }
nav a { color: var(--c0); margin-right: 16px; text-decoration: none; }
nav a:hover, nav a:focus { text-decoration: underline; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 14px; margin-top: 22px; }
.tile { background: var(--panel); border: 1px solid var(--rule); border-radius: 8px; padding: 12px 16px; }
.tile dt { color: var(--muted); font-size: 13px; }
.tile dd { margin: 0; font-size: 26px; font-weight: 600; font-variant-numeric: tabular-nums; }
.tile dd small { display: block; font-size: 13px; font-weight: 400; color: var(--muted); }
.notes { border-left: 3px solid var(--c1); padding: 6px 14px; margin: 18px 0 0; background: var(--panel); }
.notes ul { margin: 0; padding-left: 18px; }
.figures { display: flex; flex-wrap: wrap; gap: 16px; align-items: flex-start; }
figure {
  margin: 0; background: var(--panel); border: 1px solid var(--rule); border-radius: 8px; padding: 14px 16px;
  min-width: min(260px, 100%); max-width: 100%; break-inside: avoid;
}
figcaption { color: var(--muted); font-size: 13px; width: 0; min-width: 100%; margin-bottom: 8px; }
.remark { color: var(--muted); font-size: 13px; margin: 2px 0 6px; }
.panel { background: var(--panel); border: 1px solid var(--rule); border-radius: 8px; padding: 6px 16px; overflow-x: auto; }
table { border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--muted); font-size: 13px; padding: 4px 0; }
th, td { padding: 4px 14px 4px 0; text-align: right; border-top: 1px solid var(--rule); vertical-align: top; }
thead th { border-top: 0; color: var(--muted); font-weight: 500; white-space: nowrap; }
th.name, td.name { text-align: left; }
tbody th { font-weight: 500; }
td { white-space: nowrap; }
dl.facts { columns: 2 420px; column-gap: 36px; margin: 0; padding: 10px 16px; font-size: 14px; }
dl.facts div { display: flex; gap: 14px; padding: 3px 0; break-inside: avoid; border-bottom: 1px solid var(--rule); }
dl.facts dt { color: var(--muted); flex: 0 0 42%; overflow-wrap: anywhere; }
dl.facts dd { margin: 0; overflow-wrap: anywhere; }
details { margin-top: 8px; font-size: 14px; overflow-x: auto; }
summary { cursor: pointer; color: var(--muted); font-size: 13px; }
footer { margin-top: 36px; color: var(--muted); font-size: 13px; }

svg.chart { display: block; max-width: 100%; height: auto; }
svg text { font-family: inherit; }
.label { fill: var(--muted); font-size: 12px; }
.label.axis { fill: var(--muted); font-size: 12px; font-weight: 600; }
.label.small { font-size: 11px; }
.grid { stroke: var(--rule); stroke-width: 1; }
.zero { stroke: var(--zero); stroke-width: 1; }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
.reference { stroke: var(--zero); stroke-dasharray: 5 4; stroke-width: 1.6; }
.start { stroke-dasharray: 2 4; stroke-width: 1.4; }
.dash1 { stroke-dasharray: 7 4; }
.dash2 { stroke-dasharray: 2 4; }
.cell { fill: none; stroke: var(--rule); stroke-width: 1; }
.right { fill: var(--right); }
.wrong { fill: var(--wrong); }
.figure { fill: var(--ink); font-size: 12px; font-variant-numeric: tabular-nums; }
.figure.on { fill: var(--on); }
.figure.none { fill: var(--muted); opacity: 0.55; }
.differs { fill: none; stroke: var(--ink); stroke-width: 1.4; stroke-dasharray: 3 2; }
.planned { fill: var(--zero); fill-opacity: 0.28; stroke: var(--zero); stroke-width: 1; }
.line.s0 { stroke: var(--c0); } .bar.s0 { fill: var(--c0); }
.line.s1 { stroke: var(--c1); } .bar.s1 { fill: var(--c1); }
.line.s2 { stroke: var(--c2); } .bar.s2 { fill: var(--c2); }
.line.s3 { stroke: var(--c3); } .bar.s3 { fill: var(--c3); }
.line.s4 { stroke: var(--c4); } .bar.s4 { fill: var(--c4); }
.line.s5 { stroke: var(--c5); } .bar.s5 { fill: var(--c5); }
.line.s6 { stroke: var(--c6); } .bar.s6 { fill: var(--c6); }
.line.s7 { stroke: var(--c7); } .bar.s7 { fill: var(--c7); }
.line.s8 { stroke: var(--c8); } .bar.s8 { fill: var(--c8); }
.line.s9 { stroke: var(--c9); } .bar.s9 { fill: var(--c9); }

@media print {
  :root {
    color-scheme: light;
    --ground: #ffffff; --panel: #ffffff; --ink: #17202c; --muted: #566171; --rule: #d9dfe6; --zero: #9aa5b2;
    --right: #1c5fb0; --wrong: #c2500c; --on: #ffffff;
    --c0: #1c5fb0; --c1: #d9650f; --c2: #1b8a4b; --c3: #8b3fc0; --c4: #c42a52;
    --c5: #0b8291; --c6: #9a7400; --c7: #55606e; --c8: #7a4a2b; --c9: #4a47c9;
  }
  @page { margin: 14mm; }
  body { font-size: 11px; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  main { max-width: none; padding: 0; }
  nav { display: none; }
  h2 { break-after: avoid; }
  table, .tile { break-inside: avoid; }
  summary { list-style: none; }
  details::details-content { content-visibility: visible; block-size: auto; }
}
)css";
}

}  // namespace velum::report
