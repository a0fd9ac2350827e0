// How the page puts numbers, dates and reasons into words.

const NO_BREAK_SPACE = "\u00a0";

// Words for a calibrated probability: the IPCC's scale, its lower half shortened.
const LIKELIHOODS = [
  { from: 0.9, level: "high", word: "very likely" },
  { from: 0.66, level: "high", word: "likely" },
  { from: 0.33, level: "middle", word: "possible" },
  { from: 0, level: "low", word: "doubtful" },
];

/** 0.83 -> { level: "high", text: "likely · 83 %" } */
export function confidenceInWords(confidence) {
  const { level, word } = LIKELIHOODS.find(({ from }) => confidence >= from);
  return { level, text: `${word} · ${percent(confidence)}` };
}

/** 0.83 -> "83 %"; neither certainty nor impossibility is ever claimed. */
export function percent(confidence) {
  const rounded = Math.round(confidence * 100);
  if (rounded >= 100) return `over 99${NO_BREAK_SPACE}%`;
  if (rounded <= 0) return `under 1${NO_BREAK_SPACE}%`;
  return `${rounded}${NO_BREAK_SPACE}%`;
}

const NUMBER = new Intl.NumberFormat("en-GB");

/** 1, "article" -> "1 article"; 1204, "article" -> "1,204 articles" */
export function counted(number, noun) {
  return `${NUMBER.format(number)}${NO_BREAK_SPACE}${noun}${number === 1 ? "" : "s"}`;
}

// UTC in and out: a publication date is a day, and no time zone may shift it.
const DATE = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeZone: "UTC" });

/** "2021-03-17" -> "17 March 2021" */
export function dateInWords(isoDate) {
  const date = new Date(`${isoDate}T00:00:00Z`);
  return Number.isNaN(date.getTime()) ? isoDate : DATE.format(date);
}

const REASONS = {
  nothing_relevant: "No article in it seems to be about this.",
  not_answered: "Some articles come near the subject, but none of them states an answer.",
  too_close: "Some passages might hold an answer, but the evidence is too thin to decide.",
};

export function reasonInWords(reason) {
  return REASONS[reason] ?? "No passage answers the question clearly enough.";
}

/** How many articles an answer stands in. */
export function supportInWords({ support }) {
  return `said by ${counted(support.articles, "article")}`;
}

/** 0.751 -> "75 %" */
export function sharePercent(share) {
  return `${Math.round(share * 100)}${NO_BREAK_SPACE}%`;
}

const ORDINAL = new Intl.PluralRules("en-GB", { type: "ordinal" });
const SUFFIXES = { one: "st", two: "nd", few: "rd", other: "th" };

/** 3 -> "3rd" */
export function ordinal(number) {
  return `${NUMBER.format(number)}${SUFFIXES[ORDINAL.select(number)]}`;
}

/** 1240 -> "1.24 s" */
export function secondsInWords(milliseconds) {
  return `${(milliseconds / 1000).toFixed(2)}${NO_BREAK_SPACE}s`;
}
