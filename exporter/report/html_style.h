// The style of the HTML page, and what a browser may do with it. A browser runs and fetches
// nothing, and applies this very style alone, so names of watched databases cannot bring in
// another.
#pragma once

#include <string_view>

namespace pg_integrity {

inline constexpr std::string_view kReportStyle = R"(
:root { color-scheme: light dark; --page: #fff; --box: #f4f5f7; --text: #16191c; --dim: #545a61; --line: #c8ccd2; --link: #0b57a4;
  --bad: #a61b14; --unsure: #7a4d00; --good: #17613a; --fill-bad: #a61b14; --fill-unsure: #7a4d00; --fill-good: #17613a; }
@media (prefers-color-scheme: dark) { :root { --page: #14171a; --box: #1f2428; --text: #e8eaed; --dim: #a9b0b7; --line: #454c54;
  --link: #9ecbff; --bad: #ff9d94; --unsure: #ffcb6b; --good: #86dca0; --fill-bad: #8c1d18; --fill-unsure: #694300; --fill-good: #14532d; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; max-width: 72rem; padding: 1rem; background: var(--page); color: var(--text); font: 1rem/1.45 system-ui, sans-serif; overflow-wrap: anywhere; }
h1, h2, h3, p, ul { margin: 0; padding: 0; } ul { list-style: none; }
a { color: var(--link); } code { font-size: .9em; }
.violated { --state: var(--bad); --fill: var(--fill-bad); } .unproven, .accepted, .limited { --state: var(--unsure); --fill: var(--fill-unsure); }
.proven { --state: var(--good); --fill: var(--fill-good); } .observed { --state: var(--dim); }
.state { color: var(--state); font-weight: 600; white-space: nowrap; }
.dim { color: var(--dim); font-size: .9rem; }
.verdict { border-radius: .5rem; padding: .8rem 1rem; background: var(--fill); color: #fff; }
.verdict h1 { font-size: 1.6rem; line-height: 1.2; text-transform: capitalize; }
.verdict + p { margin-top: .5rem; } progress { width: 100%; accent-color: var(--link); }
main h2 { font-size: 1.25rem; margin-top: 1.5rem; } .database { font-size: 1.05rem; margin-top: .6rem; }
.answers { display: grid; grid-template-columns: repeat(auto-fit, minmax(15rem, 1fr)); gap: .5rem; margin: .5rem 0; }
.answers li { background: var(--box); border-left: .4rem solid var(--state); border-radius: .3rem; padding: .5rem .8rem; }
.answers li { position: relative; } .answers .state { white-space: normal; } .answers strong { display: block; } .answers a::after { content: ""; position: absolute; inset: 0; }
pre { margin: .3rem 0; padding: .5rem .8rem; background: var(--box); border-radius: .3rem; overflow-x: auto; font-size: .85rem; }
.collector { border-top: 1px solid var(--line); margin-top: .8rem; padding-top: .6rem; }
.collector h3 { display: inline; font-size: 1.05rem; } summary { cursor: pointer; padding: .2rem 0; }
.objects > li, .wrong > li { border-left: .25rem solid var(--state); margin: .5rem 0; padding: .1rem 0 .1rem .7rem; overflow: clip; }
.objects > li:target { outline: .15rem solid var(--link); outline-offset: .2rem; background: var(--box); }
.findings { font-weight: 600; } .values li { display: inline-block; margin-right: 1rem; } .hints li { margin: .5rem 0; }
.stale { position: fixed; inset: auto 0 0 0; padding: .6rem 1rem; background: var(--fill-unsure); color: #fff; visibility: hidden; animation: stale 0s 300s forwards; }
.stale a { color: #fff; } @keyframes stale { to { visibility: visible; } }
footer { border-top: 1px solid var(--line); margin-top: 2rem; padding-top: .6rem; }
footer .legend { display: none; }
@media (max-width: 40rem) { header .legend { display: none; } footer .legend { display: block; } body { padding: .6rem; } .verdict h1 { font-size: 1.35rem; } }
@media print { :root { --page: #fff; --box: #fff; --text: #000; --dim: #333; --line: #999; --link: #000; --bad: #a61b14; --unsure: #7a4d00; --good: #17613a; }
  body { max-width: none; padding: 0; font-size: 10pt; } .verdict { background: none; border: .15rem solid var(--state); color: var(--state); }
  details::details-content { content-visibility: visible; block-size: auto; } .links, .stale, progress { display: none; } li { break-inside: avoid; } }
)";

/// Content-Security-Policy of the page. Its hash is that of kReportStyle. A test says what it
/// should be.
inline constexpr std::string_view kReportPolicy =
    "default-src 'none'; style-src 'sha256-TXvDHR2C4LNtnjTvH5TqHHgD3cobHOpXRRuBC8Bdg7M='; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

}  // namespace pg_integrity
