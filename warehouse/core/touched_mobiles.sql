/*
description: The numbers of the touched messages.
grain: mobile
refresh: temporary
*/
select distinct mobile
from winners
