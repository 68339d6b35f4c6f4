#pragma once
#include "mqtt_client.h"
