//! A lock on the database from outside, so that the program hangs in the middle of a commit.

use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection};

use crate::support::database::{Engine, TestDatabase};

pub struct Lock {
    connection: DatabaseConnection,
}

impl Lock {
    pub async fn on(database: &TestDatabase) -> Self {
        let mut options = ConnectOptions::new(&database.url);
        // One session, which holds what it took.
        options.max_connections(1).min_connections(1);
        let connection = Database::connect(options)
            .await
            .expect("the database answers");
        let statements = match database.engine {
            // Whoever wants to write waits for its turn.
            Engine::Sqlite => "BEGIN IMMEDIATE",
            // A transaction gets as far as its first touch of the journal, and waits there.
            Engine::Postgres => "BEGIN; LOCK TABLE effect IN SHARE ROW EXCLUSIVE MODE",
        };
        connection
            .execute_unprepared(statements)
            .await
            .expect("the lock is taken");
        Lock { connection }
    }

    pub async fn release(self) {
        self.connection
            .execute_unprepared("ROLLBACK")
            .await
            .expect("it is given back");
        self.connection.close().await.expect("the session ends");
    }
}
