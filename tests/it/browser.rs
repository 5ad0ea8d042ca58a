//! The pages in a real browser: what a person does, and what only a browser can tell.

mod crawl;
mod jobs;
mod look;
mod tab;
