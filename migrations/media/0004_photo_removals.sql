-- migrate:up

-- A product's photo has files too, that outlive its row until the store has let go of them.
CREATE TRIGGER photo_deleted AFTER DELETE ON photos
    FOR EACH ROW EXECUTE FUNCTION note_removal();

-- migrate:down

DROP TRIGGER photo_deleted ON photos;
