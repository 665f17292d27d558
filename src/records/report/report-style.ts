/** Of the page for print: no script, no font and no picture from elsewhere. */
export const reportStyle = `
@page { size: A4; margin: 16mm 15mm 18mm;
  @bottom-left { content: "Watchkeeper session report"; font: 8pt system-ui, sans-serif; color: #667; }
  @bottom-right { content: counter(page) " / " counter(pages); font: 8pt system-ui, sans-serif; color: #667; } }
:root { --ink: #1c2430; --dim: #5b6675; --line: #d8dee6; --soft: #f4f6f9; --alarm: #b3261e; --gap: #9a6700; --notice: #3a5c8c; --clear: #1f7a4d; }
* { box-sizing: border-box; }
html { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
body { margin: 0 auto; max-width: 200mm; padding: 10mm 8mm; color: var(--ink); background: #fff;
  font: 10pt/1.45 system-ui, "Segoe UI", "Noto Sans", "DejaVu Sans", sans-serif; }
@media print { body { padding: 0; max-width: none; } }
h1 { font-size: 21pt; line-height: 1.15; margin: 0 0 1mm; letter-spacing: -.01em; }
h2 { font-size: 12.5pt; margin: 8mm 0 2mm; padding-bottom: 1mm; border-bottom: .6pt solid var(--ink); break-after: avoid; }
h3 { font-size: 10.5pt; margin: 4mm 0 1mm; break-after: avoid; }
p { margin: 0 0 2mm; } .dim { color: var(--dim); } .over { text-transform: uppercase; letter-spacing: .09em; font-size: 8pt; color: var(--dim); margin: 0 0 2mm; }
header { border-top: 2.4pt solid var(--ink); padding-top: 4mm; }
.facts { display: grid; grid-template-columns: repeat(5, 1fr); gap: 3mm; margin: 5mm 0 4mm; padding: 0; list-style: none; }
.facts li { border: .6pt solid var(--line); border-radius: 1.5mm; padding: 2mm 2.5mm; background: var(--soft); break-inside: avoid; }
.facts b { display: block; font-size: 17pt; line-height: 1.1; font-weight: 600; font-variant-numeric: tabular-nums; }
.facts span { font-size: 8pt; color: var(--dim); }
.facts .alarm b { color: var(--alarm); } .facts .gap b { color: var(--gap); } .facts .clear b { color: var(--clear); }
.sum { font-size: 11.5pt; border-left: 2.4pt solid var(--ink); padding: .5mm 0 .5mm 3mm; margin: 0 0 3mm; }
table { width: 100%; border-collapse: collapse; margin: 0 0 3mm; table-layout: fixed; }
thead { display: table-header-group; } tr { break-inside: avoid; }
th { text-align: left; font-size: 8pt; font-weight: 600; color: var(--dim); border-bottom: .8pt solid var(--ink); padding: 1mm 2mm 1mm 0; vertical-align: bottom; }
td { border-bottom: .5pt solid var(--line); padding: 1.2mm 2mm 1.2mm 0; vertical-align: top; overflow-wrap: anywhere; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; } td.t { font-variant-numeric: tabular-nums; white-space: nowrap; }
.w12 { width: 12%; } .w14 { width: 14%; } .w17 { width: 17%; } .w10 { width: 10%; } .w8 { width: 8%; } .w30 { width: 30%; } .w20 { width: 20%; }
.mark { display: inline-block; min-width: 14mm; text-align: center; font-size: 7.5pt; font-weight: 600; border-radius: 1mm; padding: .3mm 1.5mm; border: .6pt solid currentColor; }
.mark.alarm { color: #fff; background: var(--alarm); border-color: var(--alarm); } .mark.absent { color: var(--alarm); } .mark.gap { color: var(--gap); }
.mark.notice { color: var(--notice); } .mark.clear { color: var(--clear); }
.seat { break-inside: avoid-page; margin: 0 0 4mm; } .seat h3 { display: flex; gap: 2mm; align-items: baseline; }
ul.plain { margin: 0 0 2mm; padding: 0 0 0 4.5mm; } ul.plain li { margin: 0 0 .8mm; }
svg.time { display: block; width: 100%; height: 4mm; margin-top: .6mm; }
.watched { fill: #9dc9b1; } .blind { fill: #fff; stroke: var(--gap); stroke-width: .8; } .at-alarm { fill: var(--alarm); } .at-notice { fill: var(--notice); }
.seen { color: var(--clear); } .unseen { color: var(--alarm); }
dl { display: grid; grid-template-columns: 38mm 1fr; gap: 1mm 3mm; margin: 0 0 3mm; } dt { color: var(--dim); } dd { margin: 0; overflow-wrap: anywhere; }
code { font: 8.5pt ui-monospace, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
footer { margin-top: 8mm; break-inside: avoid; } .sign { display: grid; grid-template-columns: 1fr 1fr; gap: 12mm; margin-top: 14mm; }
.sign div { border-top: .6pt solid var(--ink); padding-top: 1mm; font-size: 8pt; color: var(--dim); }
`;
