// @ts-check
// Numbers, dates and answers in words; most texts about answers come from the service.

/** @import { Answer } from "./types.js" */

// Headings of results; a test compares them with those of the other ways in (wire/phrasing.py).
export const NO_ANSWER = "The archive does not say.";
export const CLOSEST = "Closest passages, not answers";
export const OTHER_ANSWERS = "Other answers in the archive";

const NO_BREAK_SPACE = "\u00a0";

const NUMBER = new Intl.NumberFormat("en-GB");

/**
 * Format a number with its noun: 1, "article" -> "1 article"; 1204 -> "1,204 articles".
 * @param {number} number
 * @param {string} noun
 */
export function formatCount(number, noun) {
  return `${NUMBER.format(number)}${NO_BREAK_SPACE}${noun}${number === 1 ? "" : "s"}`;
}

// UTC in and out: a publication date is a day, and no time zone may shift it.
const DATE = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeZone: "UTC" });

/**
 * Format a day: "2021-03-17" -> "17 March 2021".
 * @param {string} isoDate
 */
export function formatDate(isoDate) {
  const date = new Date(`${isoDate}T00:00:00Z`);
  return Number.isNaN(date.getTime()) ? isoDate : DATE.format(date);
}

/**
 * Format an answer's confidence: "likely · 83 %".
 * @param {Answer} answer
 */
export function formatConfidence({ likelihood, percentage }) {
  return `${likelihood} · ${percentage}`;
}

/**
 * Format a share as a percentage: 0.751 -> "75 %".
 * @param {number} share
 */
export function formatShare(share) {
  return `${Math.round(share * 100)}${NO_BREAK_SPACE}%`;
}

const ORDINAL = new Intl.PluralRules("en-GB", { type: "ordinal" });
/** @type {Record<Intl.LDMLPluralRule, string>} */
const SUFFIXES = { zero: "th", one: "st", two: "nd", few: "rd", many: "th", other: "th" };

/**
 * Format a rank: 3 -> "3rd".
 * @param {number} number
 */
export function formatOrdinal(number) {
  return `${NUMBER.format(number)}${SUFFIXES[ORDINAL.select(number)]}`;
}

/**
 * Format a duration in seconds: 1240 -> "1.24 s".
 * @param {number} milliseconds
 */
export function formatSeconds(milliseconds) {
  return `${(milliseconds / 1000).toFixed(2)}${NO_BREAK_SPACE}s`;
}
