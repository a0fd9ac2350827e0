// How the page puts numbers and dates into words; texts about answers come from the service.

const NO_BREAK_SPACE = "\u00a0";

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

/** A confidence in a word and a percentage: "likely · 83 %" */
export function confidenceInWords({ likelihood, percentage }) {
  return `${likelihood} · ${percentage}`;
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
