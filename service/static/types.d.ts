// Types that the page's modules share. The browser never loads this file.

// The service's wire: these interfaces have the fields of the models in service/wire.

export interface Quote {
  article_id: string;
  article_sha256: string;
  title: string;
  source: string | null;
  url: string | null;
  published_at: string | null;
  start: number;
  end: number;
  quote: string;
}

export interface Citation extends Quote {
  context: string;
  context_start: number;
  evidence: string;
}

export interface ClosestCitation extends Citation {
  confidence: number;
  percentage: string;
  score: number;
}

export interface Support {
  articles: number;
  text: string;
}

export interface Answer {
  text: string;
  confidence: number;
  likelihood: string;
  percentage: string;
  support: Support;
  citations: Citation[];
}

export interface Timing {
  retrieve: number;
  read: number;
  total: number;
}

export interface Searched {
  articles: number;
  passages: number;
}

export interface AskResponse {
  status: "answered" | "no_answer";
  reason: string | null;
  explanation: string | null;
  question: string;
  answers: Answer[];
  closest: ClosestCitation[];
  searched: Searched;
  index_version: string;
  offset_unit: "codepoint";
  timing_ms: Timing;
  cached: boolean;
  request_id: string;
}

export interface Passage {
  article_id: string;
  article_sha256: string;
  title: string;
  source: string | null;
  url: string | null;
  published_at: string | null;
  start: number;
  end: number;
  score: number;
}

export interface SearchScores {
  cosine: number;
  bm25: number;
  dense_rank: number | null;
  lexical_rank: number | null;
}

export interface FoundPassage extends Quote {
  score: number;
  legs: SearchScores | null;
}

export interface SearchResponse {
  question: string;
  passages: FoundPassage[];
  searched: Searched;
  index_version: string;
  offset_unit: "codepoint";
  search_ms: number;
  request_id: string;
}

export interface Filters {
  published_from: string | null;
  published_to: string | null;
  sources: string[];
}

export interface Message {
  role: "user" | "assistant";
  content: string;
}

export interface RewriteResponse {
  status: "understood";
  question: string;
  asked_as: string;
  alternatives: string[];
}

export interface Clarification {
  status: "unclear";
  question: string;
  ask_back: string;
  candidates: string[];
  request_id: string;
}

export interface Article {
  id: string;
  title: string;
  source: string | null;
  url: string | null;
  published_at: string | null;
  author: string | null;
  language: string;
  sha256: string;
  text: string;
  offset_unit: "codepoint";
}

export interface Source {
  name: string;
  articles: number;
}

export interface SourceList {
  sources: Source[];
  more: boolean;
}

export interface Session {
  required: boolean;
  key: string | null;
  expires_at: string | null;
}

export interface Ready {
  status: "ready";
  articles: number;
  passages: number;
  index_version: string;
}

// Inside the page.

/** An answered question of the conversation, as it is kept. */
export interface Turn {
  id: number;
  question: string;
  askedAs: string;
  alternatives: string[];
  filters: Filters;
  result: AskResponse;
  passages: Passage[];
}

/** A question of the conversation, from the moment it is typed. */
export type Question = Pick<Turn, "id" | "question" | "filters">;

/** A question in the words in which the archive is asked. */
export type Rewrite = Question & Pick<Turn, "askedAs" | "alternatives">;

/** A place in an article that can be opened: a quote, or a passage, which has no quote. */
export interface Place {
  article_id: string;
  article_sha256: string;
  title: string;
  start: number;
  end: number;
  quote?: string;
  evidence?: string;
}

/** A marked span of an article, in code points: words that were quoted, or a passage read. */
export interface Mark {
  start: number;
  end: number;
  kind: "quote" | "read";
}

/** What the controls of a turn do. */
export interface Actions {
  /** Show a place in its article; closing it returns the focus to `opener`. */
  open: (place: Place, opener: HTMLElement) => void;
  /** Ask in these words instead. */
  askAs: (question: string) => void;
  /** Let assistive technology speak a text. */
  announce: (text: string) => void;
  /** How passages were found for the turn; null where the archive has changed since. */
  explain: (turn: Turn) => Promise<FoundPassage[] | null>;
}

export type CitationActions = Pick<Actions, "open" | "announce">;

export type Children = (string | Node)[];
export type Attributes = Record<string, string>;
