// The page that asks for a key and then gives way to the one that was wanted.

import { keyForm } from "./signing.js";

// The address stays what it was: nothing says where to go, so nothing can lead elsewhere.
const form = keyForm(() => location.reload());
document.getElementById("sign-in").append(form);
form.querySelector("input").focus();
