// @ts-check
// The page that asks for a key, and then shows the page at the same address.

import { findById } from "./dom.js";
import { createKeyForm } from "./key-form.js";

// The page is loaded again where it is: no parameter names a target, so none can lead elsewhere.
const form = createKeyForm(() => location.reload());
findById("sign-in", HTMLElement).append(form);
form.querySelector("input")?.focus();
