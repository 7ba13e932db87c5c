-- migrate:up

-- How far a stream was read: the id of the last entry of which everything is done. What it tells
-- is done again without harm, so two replicas that write it do none either.
CREATE TABLE followed_streams (
    name  text PRIMARY KEY,
    entry text NOT NULL
);

-- migrate:down

DROP TABLE followed_streams;
