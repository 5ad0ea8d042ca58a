//! What a person does with a page: opens it, fills fields by their labels, presses buttons, reads.

use std::time::{Duration, Instant};

use thirtyfour::By;
use thirtyfour::error::WebDriverResult;

use crate::support::app::{Account, PASSWORD, TestApp};
use crate::support::browser::{Browser, Scripts};

/// Longer than any page of ours needs, a test of a connection included.
const PATIENCE: Duration = Duration::from_secs(40);

pub struct Tab {
    pub browser: Browser,
    base: String,
}

impl Tab {
    pub async fn open(app: &TestApp, scripts: Scripts) -> Self {
        Tab {
            browser: Browser::open(scripts).await,
            base: app.url.clone(),
        }
    }

    pub async fn go(&self, path: &str) {
        let address = format!("{}{path}", self.base);
        self.browser.driver.goto(address).await.expect("it opens");
    }

    /// Everything after the host.
    pub async fn path(&self) -> String {
        let url = self.browser.driver.current_url().await.expect("a URL");
        match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        }
    }

    /// Writes over what a field holds.
    pub async fn fill(&self, name: &str, value: &str) {
        let field = self.find(&format!("[name='{name}']")).await;
        field.clear().await.expect("a field can be emptied");
        field.send_keys(value).await.expect("a field takes keys");
    }

    /// Puts a text of many lines into a field, as pasting does.
    pub async fn paste(&self, name: &str, value: &str) {
        let field = self.find(&format!("[name='{name}']")).await;
        field.send_keys(value).await.expect("a field takes keys");
    }

    pub async fn tick(&self, name: &str) {
        let field = self.find(&format!("[name='{name}']")).await;
        field.click().await.expect("a box can be ticked");
    }

    /// Chooses an option by its text.
    pub async fn choose(&self, name: &str, option: &str) {
        let path = format!("//select[@name='{name}']/option[normalize-space()='{option}']");
        let found = self.browser.driver.find(By::XPath(path)).await;
        found
            .expect("an option")
            .click()
            .await
            .expect("it can be chosen");
    }

    /// Presses the button or link with this text, and waits for the page after it.
    pub async fn press(&self, label: &str) {
        let path = format!(
            "//*[self::button or self::a or self::summary][normalize-space()='{label}'][not(ancestor::*[contains(@class, 'rail')])]"
        );
        let found = self.browser.driver.find(By::XPath(path)).await;
        let Ok(element) = found else {
            panic!(
                "there is no `{label}` on {}:\n{}",
                self.path().await,
                self.text().await
            );
        };
        element.scroll_into_view().await.ok();
        element.click().await.expect("it can be pressed");
    }

    pub async fn find(&self, css: &str) -> thirtyfour::WebElement {
        match self.browser.driver.find(By::Css(css)).await {
            Ok(element) => element,
            Err(_) => panic!("no {css} on {}:\n{}", self.path().await, self.text().await),
        }
    }

    /// What can be read on the page.
    pub async fn text(&self) -> String {
        let body = self.browser.driver.find(By::Tag("body")).await;
        match body {
            Ok(body) => body.text().await.unwrap_or_default(),
            Err(_) => String::new(),
        }
    }

    /// Waits until this can be read.
    pub async fn sees(&self, words: &str) {
        let began = Instant::now();
        loop {
            let text = self.text().await;
            if text.contains(words) {
                return;
            }
            assert!(
                began.elapsed() < PATIENCE,
                "`{words}` never appeared on {}:\n{text}",
                self.path().await
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    pub async fn sign_in(&self, account: &Account) {
        self.go("/sign-in").await;
        self.fill("email", &account.email).await;
        self.fill("password", PASSWORD).await;
        self.press("Sign in").await;
        self.sees("Dashboard").await;
    }

    /// Runs a script of the test in the page.
    pub async fn ask(&self, script: &str) -> WebDriverResult<serde_json::Value> {
        let answer = self.browser.driver.execute(script, Vec::new()).await?;
        Ok(answer.json().clone())
    }
}

impl Tab {
    /// How many elements match.
    pub async fn ask_count(&self, css: &str) -> usize {
        let found = self.browser.driver.find_all(By::Css(css)).await;
        found.map_or(0, |found| found.len())
    }
}
