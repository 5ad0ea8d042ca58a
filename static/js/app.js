// The one entry: each module attaches itself by data- attributes; every page works without them.
import "./theme.js";
import "./copy.js";
import "./drop.js";
import "./keys.js";
import "./live.js";
